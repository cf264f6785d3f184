"""What a group of settings is, and the values that several groups have."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Section(BaseModel):
    """A group of settings: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _month(value: object) -> object:
    """Accept `2023-05` for the first of May 2023."""
    return f"{value}-01" if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}", value) else value


Month = Annotated[date, BeforeValidator(_month)]

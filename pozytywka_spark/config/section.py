"""What a group of settings is, and the values that several groups have."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


class Section(BaseModel):
    """A group of settings: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _month(value: object) -> object:
    """Accept `2023-05` for the first of May 2023."""
    return f"{value}-01" if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}", value) else value


def _utc(value: datetime) -> datetime:
    """A time without a zone is UTC; one beyond what deliveries can hold is a slip."""
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if not 2000 <= moment.year < 2100:
        raise ValueError("a time from 2000 to before 2100")
    return moment


Utc = Annotated[datetime, AfterValidator(_utc)]
Month = Annotated[date, BeforeValidator(_month)]

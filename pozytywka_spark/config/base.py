"""What a group of settings is, what each setting decides, and the values that several groups have."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, JsonValue

Product = Literal[
    "tables",  # what ingest and features write, seen by the stages after them as content, not as settings
    "model",  # what is fitted
    "report",  # what a training measures and writes beside the model: decision table, slices, dossier
    "search",  # the search for hyperparameters, if there is one
    "study",  # which search it is, whatever its budget
    "gate",
    "predictions",
    "monitoring",
    "simulation",
    "experiment",
    "uplift",
    "monthly",  # when a month's work trains
    "fraud",  # signals, rings and cases
    "moderation",  # fouls, blocks and what they discount
    "factory",  # which models decide
    "bandits",  # what a slot's policy is
    "feed",  # what stands on a page
    "forecast",  # what is expected, and what alarms
    "topics",  # which genres belong together
    "feedback",  # what texts say
    "world",  # a synthetic delivery
]
Decides = dict[str, JsonValue]


def decides(*products: Product) -> Decides:
    """The mark of a setting: everything that comes out otherwise if its value is another.

    A group's own mark (`section_decides`) is that of all its settings without one:
    `Field(..., json_schema_extra=decides("model"))`.
    """
    return {"decides": list(products)}


# Where things are, how fast, how long to wait, what is permitted: nothing comes out otherwise.
NOTHING = decides()


class Section(BaseModel):
    """A group of settings: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    section_decides: ClassVar[Decides | None] = None


def _month(value: object) -> object:
    """Accept `2023-05` for the first of May 2023."""
    return f"{value}-01" if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}", value) else value


def _day(value: object) -> object:
    """A plain date is its midnight."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _utc(value: datetime) -> datetime:
    """A time without a zone is UTC; one beyond what deliveries can hold is a slip."""
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if not 2000 <= moment.year < 2100:
        raise ValueError("a time from 2000 to before 2100")
    return moment


Moment = Annotated[datetime, BeforeValidator(_day), AfterValidator(_utc)]
Month = Annotated[date, BeforeValidator(_month)]

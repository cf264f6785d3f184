"""Settings of raw files and ingest, and of where the data begin and end."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Moment, Section, decides


class Raw(Section):
    """Where deliveries are."""

    section_decides = NOTHING

    path: str | None = Field(
        None, min_length=1, description="folder of one delivery; unset: the embedded one"
    )


class Ingest(Section):
    """How raw files are read."""

    section_decides = decides("tables")

    accept_bad_share: float = Field(
        0.5, ge=0, le=1, description="a file of which more rows than that can't be used is refused whole"
    )
    max_files_per_batch: int | None = Field(
        None, ge=1, description="unset: a delivery is one batch, so that sessions are whole when repaired"
    )
    max_line_bytes: int = Field(1_048_576, ge=1024, description="longer lines are quarantined unparsed")
    future_days: float = Field(
        1.0, ge=0, le=36_525, description="an event later than this after the ingest's start is quarantined"
    )
    at: Moment | None = Field(
        None, description="when the ingest is taken to start, UTC; unset: now. For repeatable runs"
    )
    wait_seconds: float = Field(
        600,
        ge=0,
        description="how long to wait for another ingest on the same lake",
        json_schema_extra=NOTHING,
    )
    assume_alone: bool = Field(
        False,
        description="needed where a lake can't be locked (object stores): nothing else ingests into it",
        json_schema_extra=NOTHING,
    )


class Data(Section):
    """From when to when the data are complete, which a few stray clocks must not move; see dataspan.py."""

    section_decides = decides("tables", "monitoring", "monthly")

    start: Moment | None = Field(
        None, description="date or time (UTC) at which the data begin; unset: found from events by day"
    )
    end: Moment | None = Field(
        None,
        description="date or time (UTC), itself outside, up to which the data are complete; unset: found "
        "from events by day",
    )
    thin_share: float = Field(
        0.1, gt=0, lt=1, description="a day with a smaller share of a usual day's events says nothing"
    )
    thin_weeks_share: float = Field(
        0.2, gt=0, lt=1, description="nor does one in four weeks with a smaller share of usual four weeks'"
    )
    late_start_days: int = Field(
        3, ge=0, le=27, description="days after its begin at which the first month may start and be complete"
    )

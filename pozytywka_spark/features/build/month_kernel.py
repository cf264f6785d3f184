"""A month of some users' events to whole numbers: measures by user, plays and first likes by user and track.

It sees this month only. Events are put into one order, by user, session and time, in which whatever an
aggregate or a neighbour needs lies side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from polars.exceptions import InvalidOperationError

from pozytywka_spark.features.build.dimensions import Dimensions
from pozytywka_spark.features.build.listening import plays_and_likes, plays_by_anyone
from pozytywka_spark.features.build.month_events import (
    ORDER,
    number_events,
    sold_by,
    with_attributes,
    without,
)
from pozytywka_spark.features.build.neighbours import session_spans, with_neighbours
from pozytywka_spark.features.build.overflow import check_sums, too_large
from pozytywka_spark.features.build.parcels import MEASURED_ROWS
from pozytywka_spark.features.build.plan import CataloguePlan, Named
from pozytywka_spark.months import cut_off_micros


@dataclass(frozen=True)
class MonthMade:
    """What a month comes to, as `staged` says: `measured` with the plan's measures of events, gaps and
    sessions in the plan's order; `played` counts everyone's plays, the others free users'."""

    measured: pl.DataFrame
    listened: pl.DataFrame
    liked: pl.DataFrame
    played: pl.DataFrame

    def but(self, users: pl.Series) -> MonthMade:
        """Without what is these users' own."""
        return MonthMade(
            without(self.measured, users),
            without(self.listened, users),
            without(self.liked, users),
            self.played,
        )


def measure_month(
    events: pl.DataFrame, bought: pl.DataFrame, dimensions: Dimensions, plan: CataloguePlan, month: date
) -> MonthMade:
    """What `events` of one month come to (`month_events.COLUMNS`, all that their users did in it).

    `bought`: user_id and purchased_at (microseconds) of all known purchases, of whichever month.
    Raises `DataError` naming user and month if a sum leaves 64 bits.
    """
    numbered = number_events(events, dimensions.tracks)
    return measure_numbered(numbered, sold_by(bought, month), dimensions, plan, month)


def measure_numbered(
    numbered: pl.DataFrame, sold: pl.Series, dimensions: Dimensions, plan: CataloguePlan, month: date
) -> MonthMade:
    """As `measure_month`, of `number_events` and the users who had bought by the cut-off."""
    in_sessions = bool(plan.at("gap", "session"))
    free = without(numbered, sold).sort(ORDER if in_sessions else "user_id")
    listened, liked = plays_and_likes(free, month)
    return MonthMade(
        _measured(free, dimensions, plan, month), listened, liked, plays_by_anyone(numbered, month)
    )


def _measured(free: pl.DataFrame, dimensions: Dimensions, plan: CataloguePlan, month: date) -> pl.DataFrame:
    """Each level by itself, and only if a measure asks for it; the events make the rows."""
    of_events, of_gaps, of_sessions = plan.at("event"), plan.at("gap"), plan.at("session")
    asked = {*_read_by(of_events), *({"duration_ms"} if of_gaps else ())}
    known = with_attributes(free.drop("stray"), dimensions, sorted(asked))
    timed = known.with_columns(month=pl.lit(month), cut_off=pl.lit(cut_off_micros(month), pl.Int64))
    first = Named("first_event_at", pl.col("at").min().cast(pl.Int64))
    rows = _aggregated(timed, [first, *of_events], month)
    if of_gaps:
        kept = ("user_id", "month", "cut_off", "session_id", "at", "kind", "duration_ms")
        gaps = with_neighbours(timed.select(kept), cut_off_micros(month))
        rows = _beside(rows, _aggregated(gaps, of_gaps, month))
    if of_sessions:
        sessions = session_spans(timed).with_columns(
            month=pl.lit(month), cut_off=pl.lit(cut_off_micros(month), pl.Int64)
        )
        rows = _beside(rows, _aggregated(sessions, of_sessions, month))
    names = [measure.name for measure in plan.at("event", "gap", "session")]
    return rows.with_columns(month=pl.lit(month)).select(*MEASURED_ROWS, *names)


def _aggregated(rows: pl.DataFrame, measures: Sequence[Named], month: date) -> pl.DataFrame:
    """Grain: user. The measures as Int64, of rows that lie by user."""
    check_sums(rows, _read_by(measures), month)
    by_user = rows.with_columns(pl.col("user_id").set_sorted()).group_by("user_id", maintain_order=True)
    try:
        return by_user.agg(measure.made.alias(measure.name) for measure in measures)
    except InvalidOperationError as error:
        raise too_large(rows, measures, month) or error from error


def _beside(rows: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """With another level's measures; 0 for a user that it doesn't know."""
    joined = rows.join(more, on="user_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col(more.columns[1:]).fill_null(0))


def _read_by(measures: Sequence[Named]) -> list[str]:
    """The columns that the measures read."""
    return sorted({name for measure in measures for name in measure.made.meta.root_names()})

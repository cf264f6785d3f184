"""A look at silver: two small jobs over its shards, from which all checks and all plots are told.

The first counts what each shard says by itself, and stages what has to meet by key (events of a user,
plays of a track, namesakes); the second counts that, slice by slice of the keys. Only counts come back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from pozytywka_spark import names, schemas
from pozytywka_spark.config import Data
from pozytywka_spark.ingest.quality import checks as c
from pozytywka_spark.ingest.quality import distributions as d
from pozytywka_spark.ingest.quality.catalogue_partials import CATALOGUE
from pozytywka_spark.ingest.quality.check_list import event_checks, orphan_checks
from pozytywka_spark.ingest.quality.checks import Finding, Partial, Tally
from pozytywka_spark.ingest.quality.data_span_findings import Spanned, span_findings, spanned
from pozytywka_spark.ingest.quality.event_totals import count_slices, slices_of
from pozytywka_spark.ingest.quality.key_parcels import key_slices
from pozytywka_spark.ingest.quality.shard_counts import count_shards
from pozytywka_spark.ingest.resolve.event_counts import CountedFiles
from pozytywka_spark.lake.shards import Shard
from pozytywka_spark.lake.tasks import Result, Tasks

_SHORT_HISTORY_MONTHS = 12


@dataclass(frozen=True)
class Silver:
    """What was seen: findings on tables that are there, and the counts behind the plots; `span` is None
    without events."""

    findings: tuple[Finding, ...]
    span: Spanned | None
    tracks: d.Buckets
    months: d.Months
    sessions: d.Buckets


def profile_silver(
    tasks: Tasks,
    shards: Mapping[str, Sequence[Shard]],
    chosen: Data | None = None,
    counted: CountedFiles | None = None,
) -> Silver:
    """Every check of every table that is there, among them those that look across tables.

    `shards` are those of each silver table that exists, be they none. `counted`: what is known already of
    some files of events.
    """
    there = {name: list(shards[name]) for name in (table.name for table in schemas.SILVER) if name in shards}
    rows = max((sum(shard.rows for shard in mine) for mine in there.values()), default=0)
    slices = key_slices(rows)
    known, left = _known(counted, there.get(schemas.EVENTS.name, []), slices)
    if known is not None:
        slices, there[schemas.EVENTS.name] = known.slices, left
    first = tasks.run(
        [shard for mine in there.values() for shard in mine],
        partial(count_shards, slices=slices),
        weight=lambda shard: shard.size,
        named=_named,
    )
    parcels = (*first.parcels, *(known.parcels if known is not None else ()))
    second = tasks.run(
        slices_of(parcels, frozenset(there)),
        count_slices,
        weight=lambda each: each.size,
        named=lambda each: f"{each.question} of silver, slice {each.number}",
    )
    results = [*first.results, *second.results, *(known.results if known is not None else ())]
    return _silver(frozenset(there), results, chosen or Data())


def _known(
    counted: CountedFiles | None, events: list[Shard], slices: int
) -> tuple[CountedFiles | None, list[Shard]]:
    """What was counted, if it still holds and its slices are small enough, and the shards beside it."""
    left = counted.left_of(events) if counted is not None and counted.slices >= slices else None
    return (None, events) if left is None else (counted, left)


def _named(shard: Shard) -> str:
    values = ", ".join(f"{name} {value}" for name, value in shard.partition.items())
    return f"{shard.table}, {values}" if values else shard.table


def _silver(there: frozenset[str], results: Sequence[Result], data: Data) -> Silver:
    """All that both jobs told, as findings and plots."""
    counted = c.add_up(c.from_result(each["checks"]) for each in results if "checks" in each)
    months = d.month_rows(row for each in results for row in each.get("months", ()))
    sessions = d.session_rows(row for each in results for row in each.get("sessions", ()))
    tracks = d.track_buckets(row for each in results for row in each.get("tracks", ()))
    span = spanned(_days(results), data)
    # one stray clock would stretch the plot over decades
    within = [row for row in months if span is not None and span.span.holds(row.month)]
    findings = [finding for name in CATALOGUE if name in there for finding in _of_table(name, counted, there)]
    if "events" in there:
        findings += c.findings_of(event_checks(), counted)
        findings += [*_of_months(months, len({row.month for row in within})), *_of_sessions(sessions)]
    if span is not None:
        findings += span_findings(span)
    return Silver(tuple(findings), span, tracks, d.as_months(within), d.as_buckets(sessions))


def _days(results: Sequence[Result]) -> dict[date, int]:
    days: dict[date, int] = {}
    for each in results:
        for text, events in each.get("days", ()):
            day = date.fromisoformat(text)
            days[day] = days.get(day, 0) + events
    return days


def _of_table(name: str, counted: Partial, there: frozenset[str]) -> list[Finding]:
    """Its own checks, events that it lacks the key of, its columns."""
    table, checks, _ = CATALOGUE[name]
    orphans = [orphan_checks()[name]] if name in orphan_checks() and "events" in there else []
    return [*c.findings_of([*checks(), *orphans], counted), *c.column_findings(table, counted)]


def _of_months(rows: list[d.MonthRow], history: int) -> list[Finding]:
    """What events by type and month tell: classes, repairs, the length of history in months."""
    total = sum(row.events for row in rows)
    of_type = {kind: sum(row.events for row in rows if row.kind == kind) for kind in names.EVENT_TYPES}
    adverts, purchases = of_type[names.ADVERTISEMENT], of_type[names.BUY_PREMIUM]
    repaired, trackless = sum(row.repaired for row in rows), sum(row.trackless for row in rows)
    short = c.WARN if history < _SHORT_HISTORY_MONTHS else c.OK
    few = (
        c.WARN if adverts < 0.01 * total else c.OK,
        c.WARN if purchases < 0.0005 * total else c.OK,
    )
    first, last = min((r.first for r in rows), default=None), max((r.last for r in rows), default=None)
    kinds = {field.name: field.dataType.simpleString() for field in schemas.EVENTS.schema}
    return [
        *(
            Finding("events", f"class {kind}", c.OK, of_type[kind], total, "events of this type")
            for kind in (names.PLAY, names.SKIP, names.LIKE)
        ),
        Finding("events", "adverts", few[0], adverts, total, "under 1% of events: too few to learn from"),
        Finding("events", "purchases", few[1], purchases, total,
                "under 0.05% of events: too few to learn from"),
        Finding("events", "repaired", _found(repaired, c.INFO), repaired, total,
                "a field was told by its session"),
        Finding("events", "advert or purchase without track", _found(trackless, c.INFO), trackless, total,
                "as it should be: adverts come from the cloud"),
        Finding("events", "months of history", short, history, total,
                f"fewer than {_SHORT_HISTORY_MONTHS} tell nothing of seasons; total: events"),
        c.column_finding("events", "event_time", Tally(0, total, first, last), kinds["event_time"]),
        c.column_finding("events", "track_id", Tally(trackless, total), kinds["track_id"]),
    ]  # fmt: skip


def _of_sessions(rows: list[d.SessionRow]) -> list[Finding]:
    shared, total = sum(row.shared for row in rows), sum(row.sessions for row in rows)
    meaning = "a session has one user; total: sessions"
    return [Finding("events", "session of several users", _found(shared, c.ERROR), shared, total, meaning)]


def _found(rows: int, severity: str) -> str:
    return severity if rows else c.OK

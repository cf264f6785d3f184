"""Which months are stale: a fingerprint of all that a month's rows depend on, compared with the built one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from pozytywka_spark.config import Data
from pozytywka_spark.dataspan import DataSpan, span_of
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.features.months import DAY_MICROS
from pozytywka_spark.lake.partitions import of_path

_EVENT_COLUMNS = ("user_id", "event_time", "event_type", "session_id", "track_id")
# What features read of each catalogue table; users' premium flag and city are not among it.
_CATALOGUE_COLUMNS = {"users": ("user_id", "favourite_genres"), "artists": ("id", "genres")}


@dataclass(frozen=True)
class MonthEvents:
    """A month's own events: their number and hash, the last one's time in microseconds, their files, and how
    many there are on each day, the first of the month's first."""

    month: date
    event_count: int
    event_hash: str
    last_event: int
    files: str
    days: tuple[int, ...]

    @property
    def by_day(self) -> dict[date, int]:
        """Events of each day that has any."""
        return {self.month + timedelta(days=n): events for n, events in enumerate(self.days) if events}


@dataclass(frozen=True)
class MonthInputs:
    """A month with events, and the fingerprint of all that its rows depend on."""

    events: MonthEvents
    inputs: str

    @property
    def month(self) -> date:
        """The month."""
        return self.events.month


@dataclass(frozen=True)
class Inputs:
    """The months to have features in order, where the data begin and end, and all months with events.

    Months outside the span have stray events only: they have no rows, and no month's rows depend on them.
    """

    months: Sequence[MonthInputs]
    span: DataSpan
    events: Sequence[MonthEvents]

    @property
    def by_day(self) -> dict[date, int]:
        """Events of each day that has any, stray ones too."""
        return {day: events for each in self.events for day, events in each.by_day.items()}


def read_inputs(
    silver: Mapping[str, DataFrame],
    files: Iterable[str],
    catalogue: str,
    known: Mapping[date, MonthEvents],
    chosen: Data,
) -> Inputs:
    """Fingerprint the silver tables, the events in `files`; `catalogue` is the hash of the whole catalogue.

    A month's rows depend on its own events, on those of every month before (first likes, tenure,
    popularity, trailing windows), on the catalogue tables and on the arithmetic. So each month's
    fingerprint chains the one before: a late event makes its month stale and all that follow, and
    nothing else; the order of deliveries and the layout of files don't matter.
    Files never change, so a month that still lies in the files it was `known` by isn't read again.
    Raises `DataError` if there are no events, or none in the span of the data.
    """
    events = [each for each in _month_events(silver["events"], files, known) if each.event_count]
    span = span_of({day: count for each in events for day, count in each.by_day.items()}, chosen)
    months = [each for each in events if span.holds(each.month)]
    if not months:
        raise DataError(f"no events lie in the {span.told()}: mend data.start or data.end")
    chain = _sha(catalogue, *_catalogue_tables(silver))
    inputs = []
    for each in months:
        chain = _sha(chain, each.month.isoformat(), each.event_count, each.event_hash)
        inputs.append(MonthInputs(each, chain))
    return Inputs(inputs, span, events)


def _month_events(
    events: DataFrame, paths: Iterable[str], known: Mapping[date, MonthEvents]
) -> list[MonthEvents]:
    """Every month's events in order of months; read are those whose files are new."""
    files = _files_by_month(paths)
    new = [month for month, names in files.items() if month not in known or known[month].files != names]
    if not new:
        return [known[month] for month in sorted(files)]
    day = F.floor(F.unix_micros("event_time") / F.lit(DAY_MICROS)) - F.unix_date("event_month")
    rows = (
        events.where(F.col("event_month").isin(new))
        .groupBy("event_month", day.cast("int").alias("day"))
        .agg(*_digest(F.xxhash64(*_EVENT_COLUMNS)), F.max(F.unix_micros("event_time")).alias("last_event"))
        .collect()
    )
    by_month: dict[date, list[Row]] = {}
    for row in rows:
        by_month.setdefault(row["event_month"], []).append(row)
    read = {month: _month_of_days(month, of_days, files[month]) for month, of_days in by_month.items()}
    kept = {month: known[month] for month in files if month not in new}
    return [each for _, each in sorted((read | kept).items())]


def _month_of_days(month: date, days: Sequence[Row], files: str) -> MonthEvents:
    """A month's events from those of its days: hashes fold in any order and any grouping."""
    folded, counts = 0, [0] * 31
    for row in days:
        folded ^= row["folded"]
        counts[row["day"]] = row["counted"]
    summed = sum(row["summed"] for row in days)
    last = max(row["last_event"] for row in days)
    return MonthEvents(month, sum(counts), f"{folded}:{summed}", last, files, tuple(counts))


def _files_by_month(paths: Iterable[str]) -> dict[date, str]:
    """A digest of the names of each month's files; files are never written twice."""
    names: dict[date, list[str]] = {}
    for path in paths:
        month = date.fromisoformat(str(of_path(path)["event_month"]))
        names.setdefault(month, []).append(path.rpartition("/")[2])
    return {month: _sha(*sorted(found)) for month, found in names.items()}


def choose_months(
    current: Sequence[MonthInputs],
    built: Mapping[date, str],
    wanted: tuple[date, date] | None,
    *,
    full: bool,
) -> list[date]:
    """The months to build, a stretch in order: all if `full`, those within `wanted`, else the stale ones.

    Months between two stale ones are built with them: only tables restored or changed by hand leave such,
    for what makes a month stale makes all that follow it stale too.
    Raises `DataError` if `wanted` has no events, or rests on an earlier month that is stale itself.
    """
    months = [each.month for each in current]
    gone = set(built) - set(months)
    if full or gone:
        return months
    stale = [each.month for each in current if built.get(each.month) != each.inputs]
    if wanted is None:
        return [month for month in months if stale and stale[0] <= month <= stale[-1]]
    chosen = [month for month in months if wanted[0] <= month <= wanted[1]]
    if not chosen:
        raise DataError(
            f"--months {wanted[0]:%Y-%m}..{wanted[1]:%Y-%m}: no events there; the data run from "
            f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}"
        )
    if stale and stale[0] < chosen[0]:
        raise DataError(
            f"--months {wanted[0]:%Y-%m}..{wanted[1]:%Y-%m} rests on {stale[0]:%Y-%m}, which has "
            "changed or was never built: start there, or leave --months out: features builds what changed"
        )
    return chosen


def month_range(text: str, flag: str = "--months") -> tuple[date, date]:
    """`2023-03..2023-05`, or one month, as its first and last month. Raises `UsageError`."""
    first, _, last = text.partition("..")
    try:
        bounds = tuple(datetime.strptime(part, "%Y-%m").date() for part in (first, last or first))
    except ValueError:
        raise UsageError(f"{flag} {text}: expected YYYY-MM..YYYY-MM, such as 2023-03..2023-05") from None
    if bounds[0] > bounds[1]:
        raise UsageError(f"{flag} {text}: the first month is after the last; swap them")
    return bounds[0], bounds[1]


def _digest(hashes: Column) -> list[Column]:
    """Count and two order-free folds of row hashes; the sum takes 31 bits, so that it can't overflow."""
    return [
        F.count(F.lit(1)).alias("counted"),
        F.bit_xor(hashes).alias("folded"),
        F.sum(hashes.bitwiseAND(F.lit(0x7FFFFFFF))).alias("summed"),
    ]


def _catalogue_tables(silver: Mapping[str, DataFrame]) -> list[str]:
    """A line for each catalogue table, from one job."""
    names = sorted(name for name in silver if name != "events")
    hashed = [
        silver[name].select(
            F.lit(name).alias("name"),
            F.xxhash64(*_CATALOGUE_COLUMNS.get(name, silver[name].columns)).alias("hashed"),
        )
        for name in names
    ]
    together = hashed[0]
    for frame in hashed[1:]:
        together = together.unionByName(frame)
    rows = together.groupBy("name").agg(*_digest(F.col("hashed"))).collect()
    return sorted(f"{row['name']}:{row['counted']}:{row['folded']}:{row['summed']}" for row in rows)


def _sha(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

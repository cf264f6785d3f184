"""`bandit_days`: only the days whose decisions or rewards changed are summed again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pozytywka_spark.bandits.bucket_days import end_of_window
from pozytywka_spark.bandits.log import Log, open_log
from pozytywka_spark.bandits.slots import SlotPlan
from pozytywka_spark.bandits.sum_work import PARTIAL, BucketItem, MonthItem, SumDays, write_months
from pozytywka_spark.config import Settings
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.shards import Parcel, Shard
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import BANDIT_BOOKS, BANDIT_DAYS

FORMAT = 1
Key = tuple[str, date]


@dataclass(frozen=True)
class Summed:
    """`days` that were summed now, of all slots; `rows`: of the books of all days, by slot and day."""

    days: tuple[date, ...]
    rows: tuple[Mapping[str, Any], ...]

    @property
    def unchanged(self) -> bool:
        """Whether there was nothing to do."""
        return not self.days


def sum_days(settings: Settings, lake: Lake, *, full: bool = False) -> Summed:
    """Bring `bandit_days` up to date; `full`: as if nothing had been summed. Running twice changes nothing.

    The sums are committed, then the books: broken off between, the days are summed again. Raises `DataError`
    if nothing was taken in.
    """
    with lake.tasks() as tasks:
        return sum_log(settings, lake, tasks, open_log(settings, lake, tasks), full=full)


def sum_log(settings: Settings, lake: Lake, tasks: Tasks, log: Log, *, full: bool = False) -> Summed:
    """The same of a log that is open."""
    inputs, history = _inputs(settings, log), _histories(log)
    before = {} if full else read_books(lake)
    stale = {
        key
        for key, named in inputs.items()
        if key not in before
        or before[key]["inputs"] != named
        or before[key]["history"] not in (None, history[key[1]])
    }
    gone = {key for key in before if key not in inputs}
    if not stale and not gone and lake.exists(BANDIT_DAYS.name):
        return Summed((), _in_order(before.values()))
    wanted: dict[date, list[str]] = defaultdict(list)
    for name, day in sorted(stale):
        wanted[day].append(name)
    days = {day: tuple(names) for day, names in wanted.items()}
    done = tasks.run(
        [BucketItem(bucket, days) for bucket in log.buckets if bucket.size(list(days))],
        SumDays(log.slots, settings.bandits.min_probability, log.end),
        weight=lambda item: item.size,
        named=lambda item: f"decisions of bucket {item.bucket.number}",
    )
    books = _books(done.results, stale, inputs, history)
    staying = {key: row for key, row in before.items() if key not in stale and key not in gone}
    if len(staying) < len(before):  # a day that is replaced is in no book until it is done
        _write_books(lake, staying)
    _write_sums(lake, tasks, log, done.of(PARTIAL), stale | gone, whole=full or not before)
    books = staying | books
    _write_books(lake, books)
    return Summed(tuple(sorted(days)), _in_order(books.values()))


def read_books(lake: Lake) -> dict[Key, Mapping[str, Any]]:
    """What was summed, by slot and day."""
    if not lake.exists(BANDIT_BOOKS.name) or not lake.exists(BANDIT_DAYS.name):
        return {}
    return {(row["slot"], row["day"]): row for row in lake.rows(BANDIT_BOOKS.name).to_pylist()}


def _inputs(settings: Settings, log: Log) -> dict[Key, str]:
    """By slot and day what its sums are made of: decisions, those that may cut their windows, rewards."""
    paths = {day: sorted(file.path or file.place for file in files) for day, files in log.days.items()}
    named = {}
    for slot in log.slots.values():
        for day in log.days:
            ahead = [day + timedelta(days=each) for each in range(slot.window_days + 1)]
            earned: list[object] = []
            if not slot.is_logged:
                earned = [
                    [min(log.end, end_of_window(day, slot))],
                    *(log.earned_days.get((slot.reward, each)) for each in ahead),
                ]
                follow = [paths.get(each) for each in ahead]
            else:
                follow = [paths[day]]
            decisive = [FORMAT, settings.bandits.min_probability, _told(slot), follow, earned]
            named[slot.name, day] = fingerprint_of(decisive)
    return named


def _told(slot: SlotPlan) -> list[object]:
    return [slot.name, slot.kind, slot.reward, slot.window, list(slot.arms)]


def _histories(log: Log) -> dict[date, str]:
    """By day a name of all decisions before it."""
    names, named = "", {}
    for day in log.all_days:
        named[day] = names
        names = fingerprint_of([names, sorted(file.path or file.place for file in log.days[day])])
    return named


def _books(
    lines: Sequence[Mapping[str, Any]],
    stale: set[Key],
    inputs: Mapping[Key, str],
    history: Mapping[date, str],
) -> dict[Key, Mapping[str, Any]]:
    """A row a slot and day, though it has no decision: that it has none is known then."""
    nothing = {"history": None, "decisions": 0, "mature": 0, "summed": 0}
    rows: dict[Key, dict[str, Any]] = {
        key: {"slot": key[0], "day": key[1], "inputs": inputs[key], **nothing} for key in stale
    }
    for line in lines:
        key = (line["slot"], date.fromisoformat(line["day"]))
        row = rows[key]
        if line["worked_out"]:
            row["history"] = history[key[1]]
        for name in ("decisions", "mature", "summed"):
            row[name] += line[name]
    return dict(rows)


def _write_sums(
    lake: Lake, tasks: Tasks, log: Log, partial: Sequence[Parcel], replaced: set[Key], *, whole: bool
) -> None:
    of_month: dict[date, list[Parcel]] = defaultdict(list)
    for parcel in sorted(partial, key=lambda each: each.key):
        of_month[date.fromisoformat(str(parcel.key[0]))].append(parcel)
    months = sorted({day.replace(day=1) for _, day in replaced} | set(of_month))
    there: dict[date, Shard] = {}
    if not whole and lake.exists(BANDIT_DAYS.name):
        there = {shard.partition["month"]: shard for shard in lake.shards(BANDIT_DAYS.name, tasks)}
    items = [
        MonthItem(
            month,
            tuple(of_month[month]),
            there[month].files if month in there else (),
            tuple(sorted(key for key in replaced if key[1].replace(day=1) == month)),
        )
        for month in months
    ]
    done = tasks.run(
        items,
        write_months,
        weight=lambda item: sum(each.size for each in item.partial) + 1,
        named=lambda item: f"sums of {item.month:%Y-%m}",
    )
    if whole:
        lake.overwrite(done.written, BANDIT_DAYS)
    else:
        lake.replace_partitions(done.written, BANDIT_DAYS, [{"month": month} for month in months])


def _write_books(lake: Lake, rows: Mapping[Key, Mapping[str, Any]]) -> None:
    lake.overwrite(as_table(_in_order(rows.values()), BANDIT_BOOKS), BANDIT_BOOKS)


def _in_order(rows: Any) -> tuple[Mapping[str, Any], ...]:
    return tuple(sorted(rows, key=lambda row: (row["slot"], row["day"])))

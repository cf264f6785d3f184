"""The log as stages see it: its shards by bucket, the events that may reward it, where the data end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pozytywka_spark.bandits.bucket_days import Bucket
from pozytywka_spark.bandits.judged_log import Rewarded
from pozytywka_spark.bandits.slots import SlotPlan, slots_of
from pozytywka_spark.bandits.sum_work import EARNED_ROWS, FindEarned
from pozytywka_spark.bandits.take_in import buckets_of
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.event_days import span_of_ingest
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import as_micros
from pozytywka_spark.schemas import EVENTS, SLOT_DECISIONS

NO_END = 2**62
EarnedDays = Mapping[tuple[str, date], tuple[int, int]]


@dataclass(frozen=True)
class Log:
    """All that is logged. `days`: files by day; `earned_days`: of each event type and day how many events
    reward, and a number that names them; `end`: of the data, in microseconds, after all times if no slot
    waits for events.
    """

    slots: Mapping[str, SlotPlan]
    buckets: tuple[Bucket, ...]
    days: Mapping[date, tuple[DataFile, ...]]
    earned_days: EarnedDays
    end: int

    @property
    def all_days(self) -> list[date]:
        """Days with decisions, in order."""
        return sorted(self.days)

    @property
    def files(self) -> list[DataFile]:
        """All files, day by day."""
        return [file for day in self.all_days for file in self.days[day]]

    def reader(self, slot: str) -> Rewarded:
        """What reads a slot's mature decisions, with their rewards, in tasks."""
        return Rewarded(self.slots[slot], {each.number: each.earned for each in self.buckets}, self.end)


def open_log(settings: Settings, lake: Lake, tasks: Tasks, slots: Sequence[str] | None = None) -> Log:
    """The log as it is now, for those slots. Raises `DataError` if nothing was taken in, or a slot's rewards
    are events and there are none.
    """
    plans = slots_of(settings)
    chosen = {name: plans[name] for name in (plans if slots is None else slots)}
    if not lake.exists(SLOT_DECISIONS.name):
        raise DataError(f"table {SLOT_DECISIONS.name} is not in {lake.root}: run bandits take-in first")
    days: dict[date, list[DataFile]] = defaultdict(list)
    files: dict[int, dict[date, list[DataFile]]] = defaultdict(lambda: defaultdict(list))
    for shard in lake.shards(SLOT_DECISIONS.name, tasks):
        day, number = shard.partition["day"], shard.partition["user_bucket"]
        files[number][day].extend(shard.files)
        days[day].extend(shard.files)
    if not days:
        raise DataError(f"table {SLOT_DECISIONS.name} has no decision: run bandits take-in first")
    types = tuple(sorted({slot.reward for slot in chosen.values() if not slot.is_logged}))
    window = max((slot.window_days for slot in chosen.values()), default=0)
    parcels: Mapping[int, Mapping[str, tuple[Parcel, ...]]] = {}
    earned_days: EarnedDays = {}
    end = NO_END
    if types and lake.exists(EVENTS.name):
        end = as_micros(span_of_ingest(settings, lake).end)
        last = max(days) + timedelta(days=window)
        parcels, earned_days = _earned(lake, tasks, types, min(days), last, buckets_of(lake) or 1)
    elif types:
        end = 0  # nothing is mature
    buckets = tuple(
        Bucket(number, {day: tuple(each) for day, each in mine.items()}, parcels.get(number, {}))
        for number, mine in sorted(files.items())
    )
    return Log(chosen, buckets, {day: tuple(each) for day, each in days.items()}, earned_days, end)


def earned_until(
    lake: Lake, tasks: Tasks, kind: str, day: date, buckets: int
) -> dict[int, tuple[Parcel, ...]]:
    """Events of a type of all months up to a day's, by bucket of the log's; of an empty lake none."""
    if not lake.exists(EVENTS.name):
        return {}
    parcels, _ = _earned(lake, tasks, [kind], None, day, buckets)
    return {bucket: by_type.get(kind, ()) for bucket, by_type in parcels.items()}


def _earned(
    lake: Lake, tasks: Tasks, types: Sequence[str], first: date | None, last: date, buckets: int
) -> tuple[Mapping[int, Mapping[str, tuple[Parcel, ...]]], EarnedDays]:
    begin = date.min if first is None else first.replace(day=1)
    shards = [
        shard
        for shard in lake.shards(EVENTS.name, tasks, columns=["user_id", "event_time", "event_type"])
        if shard.partition["event_month"] is not None and begin <= shard.partition["event_month"] <= last
    ]
    done = tasks.run(
        [file for shard in shards for file in shard.files],
        FindEarned(tuple(types), buckets),
        weight=lambda file: file.size // 5 + 1,
        named=lambda file: f"events in {file.place}",
    )
    found: dict[int, dict[str, list[Parcel]]] = defaultdict(lambda: defaultdict(list))
    for parcel in done.of(EARNED_ROWS):
        kind, bucket = parcel.key
        found[int(bucket)][str(kind)].append(parcel)
    counts: dict[tuple[str, date], tuple[int, int]] = {}
    for line in done.results:
        for kind, day, count, named in line["days"]:
            before = counts.get((kind, date.fromisoformat(day)), (0, 0))
            counts[kind, date.fromisoformat(day)] = (before[0] + count, (before[1] + named) % 2**64)
    by_type = {bucket: {kind: tuple(each) for kind, each in mine.items()} for bucket, mine in found.items()}
    return by_type, counts

"""Decisions with what came of them, a day after the other, of one bucket of users: what all kernels read.

    for slot, day, rows in read_days(bucket, wanted, slots, end, files):

Rows of a day have the columns of `slot_decisions` that learning and evaluation need, `eligible` said (the
slot's declared arms where the log says all), `days_since` worked out where it wasn't said, and `reward`, null
until it is mature. No Spark here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pozytywka_spark.bandits.days_since import ShownBefore
from pozytywka_spark.bandits.rewards import EARNED, with_rewards
from pozytywka_spark.bandits.slots import SEASONAL, SlotPlan
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import start_micros

COLUMNS = (
    "decision_id", "slot", "user_id", "decided_at", "group", "eligible", "chosen", "probability",
    "probabilities", "days_since", "policy", "stream", "reward",
)  # fmt: skip
_WITHOUT_ID = tuple(name for name in COLUMNS if name != "decision_id")
_WHEN = ["slot", "user_id", "decided_at"]
_SHOWN_COLUMNS = ["slot", "user_id", "decided_at", "chosen"]


@dataclass(frozen=True)
class Bucket:
    """The log's files of a bucket of users by day, all of them, and parcels of EARNED by event type."""

    number: int
    days: Mapping[date, tuple[DataFile, ...]]
    earned: Mapping[str, tuple[Parcel, ...]]

    def size(self, days: Sequence[date]) -> int:
        """Bytes of those days."""
        return sum(file.size for day in days for file in self.days.get(day, ()))


def read_days(
    bucket: Bucket,
    wanted: Mapping[date, Sequence[str]],
    slots: Mapping[str, SlotPlan],
    end: int,
    files: TaskFiles,
    columns: Sequence[str] = _WITHOUT_ID,
) -> Iterator[tuple[str, date, pl.DataFrame, bool]]:
    """Each slot and day of `wanted` (slots by day) that has decisions, in order of days: the rows, and
    whether days since were worked out from the log. `end`: of the data, in microseconds.
    """
    history: dict[str, _History] = {}
    earned: dict[str, pl.DataFrame] = {}
    for day in sorted(wanted):
        mine = bucket.days.get(day, ())
        if not mine:
            continue
        whole = files.read(mine, columns)
        for name in wanted[day]:
            slot = slots[name]
            rows = whole.filter(pl.col("slot") == name)
            if not rows.height:
                continue
            if slot.arms:
                rows = rows.with_columns(pl.col("eligible").fill_null(pl.lit(pl.Series([list(slot.arms)]))))
            # a seasonal slot has no novelty, and a thousand arms
            worked_out = slot.kind != SEASONAL and _needs_history(rows)
            if worked_out:
                past = history.setdefault(name, _History(bucket, name, files))
                rows = past.until(day).with_days_since(rows)
            if not slot.is_logged:
                if slot.reward not in earned:
                    earned[slot.reward] = _earned(bucket, slot.reward, files)
                later = _later(bucket, name, day, slot, files)
                rows = with_rewards(rows, later, earned[slot.reward], slot.window, end)
            yield name, day, rows, worked_out


def _needs_history(rows: pl.DataFrame) -> bool:
    """Whether days since must be worked out: for what tells who was eligible but not how long ago."""
    is_open = pl.col("days_since").is_null() & pl.col("eligible").is_not_null()
    return bool(rows.select(is_open.any()).item())


class _History:
    """When a slot's arms were last shown to users, up to a day that only moves on; each is asked for once."""

    def __init__(self, bucket: Bucket, slot: str, files: TaskFiles) -> None:
        self._bucket, self._slot, self._files = bucket, slot, files
        self._left = sorted(bucket.days)
        self._shown = ShownBefore()

    def until(self, day: date) -> ShownBefore:
        """By the midnight that the day begins with; whoever asks adds the day's own."""
        while self._left and self._left[0] < day:
            files = self._bucket.days[self._left.pop(0)]
            rows = self._files.read(files, _SHOWN_COLUMNS)
            self._shown.add(rows.filter(pl.col("slot") == self._slot))
        if self._left and self._left[0] == day:
            self._left.pop(0)
        return self._shown


def _later(bucket: Bucket, name: str, day: date, slot: SlotPlan, files: TaskFiles) -> pl.DataFrame:
    """The slot's decisions of the days that windows reach into: `user_id`, `decided_at`."""
    days = [day + timedelta(days=ahead) for ahead in range(1, slot.window_days + 1)]
    found = [file for each in days for file in bucket.days.get(each, ())]
    if not found:
        return pl.DataFrame(schema={"user_id": pl.Int64, "decided_at": pl.Datetime("us", "UTC")})
    return files.read(found, _WHEN).filter(pl.col("slot") == name).drop("slot")


def _earned(bucket: Bucket, reward: str, files: TaskFiles) -> pl.DataFrame:
    parcels = bucket.earned.get(reward, ())
    return files.read(parcels).sort("user_id", "at") if parcels else EARNED.to_frame()


def end_of_window(day: date, slot: SlotPlan) -> int:
    """When the last decision of a day is mature, in microseconds."""
    return start_micros(day + timedelta(days=1)) + slot.window

"""Events to rows of `rings`: the days of a window, months, buckets, and worlds with a known answer."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from pozytywka_spark.fraud.rings.excess import Far
from pozytywka_spark.fraud.rings.groups import Least
from pozytywka_spark.fraud.rings.window import Window, windows_of
from pozytywka_spark.fraud.rings.work import PAIRS, CountPairs, FindRings, WindowPairs
from pozytywka_spark.lake.shards import Shard
from tests.in_memory import MemoryTasks

APRIL, MAY = date(2023, 4, 1), date(2023, 5, 1)


def test_windows_are_the_last_days_before_months_ends() -> None:
    march, may = windows_of([MAY, date(2023, 3, 1)], 60)
    assert march == Window(date(2023, 3, 1), date(2023, 1, 31), APRIL)
    assert march.months == [date(2023, 1, 1), date(2023, 2, 1), date(2023, 3, 1)]
    assert may == Window(MAY, date(2023, 4, 2), date(2023, 6, 1))
    assert may.months == [APRIL, MAY]
    assert windows_of([MAY], 7)[0].months == [MAY]


def shards(tasks: MemoryTasks, rows: pl.DataFrame, buckets: int = 1) -> list[Shard]:
    """Events as files by month and bucket of accounts, two files each."""
    month = rows.get_column("event_time").dt.date().dt.month_start().alias("event_month")
    bucket = (pl.col("user_id") % buckets).cast(pl.Int32).alias("user_bucket")
    found = []
    for key, some in rows.with_columns(month, bucket).group_by(
        "event_month", "user_bucket", maintain_order=True
    ):
        partition = dict(zip(("event_month", "user_bucket"), key, strict=True))
        body = some.drop("event_month", "user_bucket")
        half = body.height // 2
        files = [tasks.files.put_file(part, partition) for part in (body[:half], body[half:])]
        found.append(Shard("events", partition, tuple(files)))
    return found


def events(*rows: tuple[int, str, str, str]) -> pl.DataFrame:
    """Account, type, track, time."""
    table = pl.DataFrame(list(rows), schema=["user_id", "event_type", "track_id", "event_time"], orient="row")
    return table.with_columns(pl.col("event_time").str.to_datetime(time_unit="us", time_zone="UTC"))


def rings(rows: pl.DataFrame, months: list[date], buckets: int = 1) -> pl.DataFrame:
    tasks = MemoryTasks()
    counted = tasks.run(
        shards(tasks, rows, buckets), CountPairs(tuple(windows_of(months, 60))),
        weight=lambda shard: shard.size, named=lambda shard: str(shard.partition),
    )  # fmt: skip
    items = [
        WindowPairs(name, tuple(parcel for parcel in counted.of(PAIRS) if parcel.key[0] == name))
        for name in sorted({str(parcel.key[0]) for parcel in counted.of(PAIRS)})
    ]
    tasks.run(
        items, FindRings((), (), Far(), Least()), weight=lambda item: item.size, named=lambda item: item.month
    )
    written = [
        rows.with_columns(month=pl.lit(partition["month"])) for _, partition, rows in tasks.files.written
    ]
    return pl.concat(written).sort("month", "ring", "user_id") if written else pl.DataFrame()


def test_only_plays_in_the_window_count() -> None:
    tasks = MemoryTasks()
    rows = events(
        (1, "PLAY", "a", "2023-04-01T23:59:59.999999"),
        (1, "PLAY", "a", "2023-04-02T00:00:00"),
        (1, "PLAY", "a", "2023-05-31T23:59:59.999999"),
        (1, "PLAY", "a", "2023-06-01T00:00:00"),
        (1, "SKIP", "a", "2023-05-05T00:00:00"),
        (1, "PLAY", None, "2023-05-05T00:00:00"),
        (None, "PLAY", "a", "2023-05-05T00:00:00"),
        (2, "PLAY", "a", "2023-05-05T00:00:00"),
    )
    tasks.run(shards(tasks, rows), CountPairs(tuple(windows_of([MAY], 60))), weight=lambda _: 1, named=str)
    found = tasks.files.staged(PAIRS)
    assert {key[0] for key in found} == {"2023-05-01"}
    counted = pl.concat(found.values()).group_by("user_id", "track_id").agg(pl.col("plays").sum())
    assert sorted(counted.rows()) == [(1, "a", 2), (2, "a", 1)]


def listening(ring: range, track: str, plays: int, day: str) -> list[tuple[int, str, str, str]]:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return [
        (user, "PLAY", f"{track}{number}", (start + timedelta(minutes=5 * play)).isoformat())
        for user in ring for number in range(3) for play in range(plays)
    ]  # fmt: skip


def ordinary() -> list[tuple[int, str, str, str]]:
    return [
        (1000 + user, "PLAY", f"{kind}{number}", f"2023-0{month}-10T10:00:00+00:00")
        for user in range(40) for kind in "rsxyz" for number in range(12) for month in (3, 4, 5)
    ]  # fmt: skip


@pytest.mark.parametrize("buckets", [1, 3])
def test_rings_of_two_months(buckets: int) -> None:
    """One ring plays at the end of April, one in May: the first is one of both months."""
    rows = events(
        *ordinary(),
        *listening(range(1, 4), "r", 8, "2023-04-20"),
        *listening(range(7, 9), "s", 8, "2023-05-02"),
    )
    found = rings(rows, [APRIL, MAY], buckets)
    assert found.select("month", "ring", "user_id").rows() == [
        (APRIL, "2023-04-1", 1), (APRIL, "2023-04-1", 2), (APRIL, "2023-04-1", 3),
        (MAY, "2023-05-1", 1), (MAY, "2023-05-1", 2), (MAY, "2023-05-1", 3),
        (MAY, "2023-05-7", 7), (MAY, "2023-05-7", 8),
    ]  # fmt: skip
    assert found["tracks"][0].to_list() == ["r0", "r1", "r2"]
    assert (found["score"] > 30).all()


def test_half_a_ring_in_each_month_is_found_together() -> None:
    rows = events(
        *ordinary(),
        *listening(range(1, 4), "r", 2, "2023-04-20"),
        *listening(range(1, 4), "r", 2, "2023-05-02"),
    )
    assert rings(rows, [APRIL]).height == 0
    assert rings(rows, [MAY]).height == 3


def test_nobody_is_a_ring_among_ordinary_listeners() -> None:
    assert rings(events(*ordinary()), [MAY]).height == 0

"""Job two over frames in memory: however events are cut up, the same comes out."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.items import REAL, MonthShard
from pozytywka_spark.features.build.month_kernel import measure_month
from pozytywka_spark.features.build.parcels import LIKED, LISTENED, MEASURED, PLAYED, TRACKS, USERS
from pozytywka_spark.features.build.second_pass import Gathered, MeasureMonths
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.hashing.slices import slice_of
from tests.in_memory import MemoryFiles, MemoryTasks
from tests.worlds.made_events import made_catalogue, made_events, purchases_of
from tests.worlds.month_world import MARCH, PLAN, bought, dimensions, events

MONTHS = (MARCH, date(2023, 4, 1))
KINDS = {"measured": MEASURED, "listened": LISTENED, "liked": LIKED, "played": PLAYED}
TABLES = made_catalogue(2)
EVENTS = {month: made_events(month, 3_000, seed) for seed, month in enumerate(MONTHS)}
PURCHASES = pl.concat([purchases_of(rows) for rows in EVENTS.values()])
Staged = dict[str, dict[tuple[str | int, ...], pl.DataFrame]]


def in_buckets(buckets: int, files: MemoryFiles, worlds: tuple[str, ...] = (REAL,)) -> list[MonthShard]:
    """`EVENTS` as shards, each of two files; whoever is nobody is in bucket 0."""
    shards = []
    for month, rows in EVENTS.items():
        bucket = user_bucket(pl.col("user_id"), buckets).fill_null(0)
        for number in range(buckets):
            mine = rows.filter(bucket == number)
            partition = {"event_month": month, "user_bucket": number}
            put = tuple(
                files.put_file(part, partition) for part in (mine.gather_every(2), mine.gather_every(2, 1))
            )
            shards.append(MonthShard(worlds, month, number, put))
    return shards


def staged(
    buckets: int = 1,
    worlds: dict[str, pl.DataFrame] | None = None,
    **settings: Any,
) -> Staged:
    tasks, known = MemoryTasks(), dimensions(TABLES)
    purchases = worlds or {REAL: PURCHASES}
    work = MeasureMonths(
        PLAN,
        tasks.files.put(TRACKS, known.tracks),
        tasks.files.put(USERS, known.users),
        {world: (tasks.files.put("bought", rows),) for world, rows in purchases.items()},
        buckets=buckets,
        **settings,
    )
    shards = in_buckets(buckets, tasks.files, tuple(purchases))
    done = tasks.run(shards, work, weight=lambda shard: shard.size, named=str)
    assert sum(told["events"] for told in done.results) == sum(rows.height for rows in EVENTS.values())
    return {name: tasks.files.staged(kind) for name, kind in KINDS.items()}


def whole(found: Staged, name: str, world: str = REAL) -> pl.DataFrame:
    """All rows of a world, in order; plays by anyone added up."""
    rows = pl.concat([frame for key, frame in found[name].items() if key[0] == world])
    if name == "played":
        rows = rows.group_by("track", "stray", "month").agg(pl.col("plays").sum())
    return rows.sort(rows.columns)


def alone(name: str, purchases: pl.DataFrame = PURCHASES) -> pl.DataFrame:
    """By the kernel, month by month."""
    made = [measure_month(rows, purchases, dimensions(TABLES), PLAN, month) for month, rows in EVENTS.items()]
    rows = pl.concat([getattr(each, name) for each in made])
    return rows.sort(rows.columns)


@pytest.mark.parametrize(
    ("buckets", "settings"),
    [
        (1, {}),
        (1, {"rows_at_once": 700}),
        (3, {}),
        (3, {"slices": 4}),
        (2, {"slices": 3, "rows_at_once": 250}),
    ],
)
def test_however_events_are_cut_up_the_same_comes_out(buckets: int, settings: dict[str, int]) -> None:
    found = staged(buckets, **settings)
    for name in KINDS:
        assert_frame_equal(whole(found, name), alone(name), check_column_order=name != "played")


def test_rows_are_put_down_by_world_bucket_and_slice_of_users() -> None:
    found = staged(3, slices=4)
    for name in ("measured", "listened", "liked"):
        keys = set(found[name])
        assert keys <= {(REAL, bucket, number) for bucket in range(3) for number in range(4)}
        assert len(keys) > 6
        for (_, bucket, number), rows in found[name].items():
            places = rows.select(
                user_bucket(pl.col("user_id"), 3), slice_of("user_id", 4, apart_from=3).alias("slice")
            )
            assert set(places.rows()) == {(bucket, number)}
    assert set(found["played"]) == {(REAL,)}


def test_several_worlds_at_once_are_each_alone() -> None:
    worlds = {
        REAL: PURCHASES,
        "nobody buys": PURCHASES.clear(),
        "some buy": pl.concat([PURCHASES.head(1), bought((7, "2023-03-02 00:00:00"))]),
        "everyone": pl.DataFrame({"user_id": range(30), "purchased_at": [0] * 30}),
    }
    found = staged(2, worlds, slices=2)
    for world, purchases in worlds.items():
        if world == "everyone":
            assert not [key for key in found["measured"] if key[0] == world]
            continue
        for name in KINDS:
            mine = whole(found, name, world)
            assert_frame_equal(mine, alone(name, purchases), check_column_order=name != "played")
    assert_frame_equal(whole(found, "played", "everyone"), whole(found, "played"))


def test_invented_events_come_in_parcels_and_purchases_in_files_of_the_table() -> None:
    tasks = MemoryTasks()
    invented = events("1 2023-03-05 10:00:00 P 11 t01\n2 2023-03-05 10:00:00 P 21 t01")
    timed = bought((2, "2023-02-01 00:00:00")).with_columns(
        pl.col("purchased_at").cast(pl.Datetime("us", "UTC"))
    )
    put = tasks.files.put("invented", invented)
    work = MeasureMonths(
        PLAN,
        None,
        None,
        {
            "scrambled": (
                tasks.files.put_file(timed, {"month": date(2023, 2, 1)}),
                tasks.files.put("bought", bought((3, "2023-03-01 00:00:00"))),
            )
        },
    )
    tasks.run([MonthShard(("scrambled",), MARCH, 0, (put,))], work, weight=lambda _: 1, named=str)
    rows = tasks.files.staged(MEASURED)["scrambled", 0, 0]
    assert rows.select("user_id", "plays", "duration_ms_known").rows() == [(1, 1, 0)]
    assert tasks.files.staged(PLAYED)[("scrambled",)].rows() == [(None, "t01", MARCH, 2)]


def test_a_task_puts_down_a_parcel_a_key_but_not_more_rows_than_it_should_hold() -> None:
    files = MemoryFiles()
    gathered = Gathered(files, rows_kept=5)
    two = pl.DataFrame({"value": [1, 2]})
    for world in ("a", "b", "a"):
        gathered.add("kind", two, (world,))
    assert {parcel.key: parcel.rows for parcel in files.parcels} == {("a",): 4, ("b",): 2}
    gathered.add("kind", two, ("a",))
    gathered.add("kind", two.clear(), ("c",))
    assert len(files.parcels) == 2
    gathered.put_down()
    gathered.put_down()
    assert [(parcel.key, parcel.rows) for parcel in files.parcels[2:]] == [(("a",), 2)]

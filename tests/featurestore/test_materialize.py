"""Online = offline for every key that ever was, whatever happens to the lake, in both engines."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.featurestore import lake_side, slices, stage
from pozytywka_spark.featurestore.load import Loaded
from pozytywka_spark.featurestore.online import check_reached, record_in, target_of
from pozytywka_spark.featurestore.stage import materialize
from pozytywka_spark.featurestore.target import Target
from pozytywka_spark.featurestore.verify import verify
from pozytywka_spark.lake import open_lake
from tests.featurestore.small_lake import MODEL, SmallLake, month, offline, online
from tests.in_memory import MemoryTasks
from tests.jars import needed

ENGINES = ["delta-rs", pytest.param("delta-spark", marks=pytest.mark.jvm)]


def small_lake(spark: SparkSession, home: Path, engine: str = "delta-rs", *more: str) -> SmallLake:
    if engine == "delta-spark":
        needed("delta")
    settings = load_settings("local", [f"home={home}", f"lake.engine={engine}", *more])
    return SmallLake(settings, open_lake(settings, spark), random.Random(7))


def load(small: SmallLake, *views: str, full: bool = False) -> dict[str, Loaded]:
    done = materialize(small.settings, small.lake, views=views, full=full)
    return {each.view: each for each in done}


def same(small: SmallLake, view: str) -> None:
    stored, expected = online(small.settings, view), offline(small, view)
    assert stored.keys() == expected.keys()
    assert stored == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_online_is_offline_whatever_happens(spark: SparkSession, tmp_path: Path, engine: str) -> None:
    small = small_lake(spark, tmp_path, engine)
    lake = small.lake

    def step() -> Loaded:
        done = load(small, "user_month")["user_month"]
        same(small, "user_month")
        return done

    small.put_features({month(0): range(1, 31), month(1): range(11, 41)})
    first = step()
    assert (first.written, first.deleted, first.why_full) == (40, 0, "nothing is stored yet")
    assert step().state == "unchanged"
    # a new month: users who stay, new ones
    small.put_features({month(2): range(31, 51)})
    assert (step().written, first.why_full != "") == (20, True)
    # an old month: some have newer rows, one is gone from the only month they were in, one is new there
    small.put_features({month(0): [*range(2, 31), 77]})
    changed = step()
    assert (changed.written, changed.deleted, changed.why_full) == (30, 1, "")
    # the newest rows deleted: older ones are the newest again, the new users are gone
    small.put_features({month(2): []})
    back = step()
    assert (back.written, back.deleted) == (10, 10)
    # compaction: another version, the same rows
    for user in (90, 91):
        small.lake.append(small.features([user], [month(1)]), _table(small))
    step()
    assert lake.compact("features") is not None
    compacted = step()
    assert (compacted.written, compacted.deleted, compacted.why_full) == (0, 0, "")
    # what a vacuum took can't be looked at
    small.put_features({month(1): range(11, 20)})
    lake.vacuum("features", retention_hours=0)
    vacuumed = step()
    assert "a vacuum deleted" in vacuumed.why_full
    assert vacuumed.deleted == 12  # users 31 to 40, 90 and 91
    assert step().state == "unchanged"


def _table(small: SmallLake) -> Any:
    from pozytywka_spark.featurestore.declared import declared_of
    from pozytywka_spark.schemas import features_table

    return features_table(declared_of(small.settings).view("user_month").names)


@pytest.mark.parametrize("engine", ENGINES)
def test_popularity_follows_months_without_plays(spark: SparkSession, tmp_path: Path, engine: str) -> None:
    small = small_lake(spark, tmp_path, engine)
    small.put_plays({month(0): {"a": 5, "b": 1}, month(1): {"b": 2}})
    assert load(small, "track_popularity")["track_popularity"].written == 2
    same(small, "track_popularity")
    small.put_plays({month(2): {"c": 7}})  # a and b have a newer row, though no file names them
    done = load(small, "track_popularity")["track_popularity"]
    assert done.why_full == "every key has a row of the table's new last month"
    same(small, "track_popularity")
    small.put_plays({month(1): {"b": 3, "c": 4}})
    assert load(small, "track_popularity")["track_popularity"].why_full == ""
    same(small, "track_popularity")
    small.put_plays({month(2): {}, month(1): {"a": 1}})
    load(small, "track_popularity")
    same(small, "track_popularity")


def test_the_champions_scores(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = small_lake(spark, tmp_path)
    small.put_predictions([1, 2, 3], month(0))
    small.put_predictions([1, 2, 3, 4], month(0), version=9)
    monkeypatch.setattr(lake_side, "champion_of", lambda _: MODEL)
    assert load(small, "user_score")["user_score"].written == 3
    same(small, "user_score")
    small.put_predictions([2, 5], month(1))
    small.put_predictions([8], month(1), version=9)
    assert load(small, "user_score")["user_score"].written == 2
    same(small, "user_score")
    monkeypatch.setattr(lake_side, "champion_of", lambda _: (MODEL[0], 9))
    other = load(small, "user_score")["user_score"]
    assert (other.written, other.deleted) == (5, 1)  # user 5 is known to model 3 alone
    monkeypatch.setattr(lake_side, "champion_of", lambda _: None)
    assert load(small, "user_score")["user_score"].deleted == 5


def test_snapshots_follow_their_table(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    small.put_tracks({"t1": "a", "t2": "a", "t3": "b", "t4": None})
    done = load(small)
    assert {name: (each.written, each.deleted) for name, each in done.items() if each.state == "loaded"} == {
        "track_profile": (4, 0),
        "artist_profile": (2, 0),
    }
    assert done["user_month"].note == "there is no table features yet"
    small.put_tracks({"t1": "c", "t2": "a"})
    done = load(small)
    assert (done["artist_profile"].written, done["artist_profile"].deleted) == (2, 1)
    assert (done["track_profile"].written, done["track_profile"].deleted) == (2, 2)
    assert online(small.settings, "artist_profile").keys() == {"a", "c"}


def test_another_definition_is_another_value(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    small.put_features({month(0): [1, 2]})
    load(small, "user_month")
    for more in (["featurestore.delay_hours=5"], ["featurestore.float32=[user_month]"]):
        other = small_lake(spark, tmp_path, "delta-rs", *more)
        assert load(other, "user_month")["user_month"].why_full.startswith("the view, its delay")
        same(other, "user_month")
        assert verify(other.settings, other.lake, views=["user_month"])[0].kinds == {}
    # another clock is told to readers, and no value is written again for it
    wall = small_lake(
        spark, tmp_path, "delta-rs", "featurestore.float32=[user_month]", "featurestore.clock=wall"
    )
    assert load(wall, "user_month")["user_month"].state == "unchanged"
    with target_of(wall.settings).open() as store:
        record = record_in(store, "user_month")
    assert record is not None
    assert record.clock == "wall"
    load(other, "user_month")
    assert load(other, "user_month", full=True)["user_month"].why_full == "it was asked for"


def test_a_full_load_that_was_interrupted_is_done_again(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = small_lake(spark, tmp_path)
    small.put_features({month(0): range(20)})
    load(small, "user_month")
    late = small_lake(spark, tmp_path, "delta-rs", "featurestore.delay_hours=5")

    real = stage.bring

    def half(*args: Any) -> Any:
        real(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stage, "bring", half)
        with pytest.raises(KeyboardInterrupt):
            load(late, "user_month")
    # the settings of before: their values were overwritten already
    assert load(small, "user_month")["user_month"].why_full == "an earlier full load was interrupted"
    same(small, "user_month")


def test_keys_that_are_none_go_with_a_full_load(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    small.put_features({month(0): [1, 2]})
    load(small, "user_month")
    with target_of(small.settings).open() as store:
        value = store.get_many("user_month", ["1"])[0]
        assert value is not None
        store.write_many("user_month", ["01", "x", "99"], [value] * 3, store.begin("user_month"))
    assert load(small, "user_month", full=True)["user_month"].deleted == 3
    same(small, "user_month")


def test_keys_in_many_slices(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "ROWS_AT_ONCE", 7)
    small = small_lake(spark, tmp_path)

    def checked(view: str, **expected: int) -> None:
        done = load(small, view)[view]
        assert {name: getattr(done, name) for name in expected} == expected
        same(small, view)
        (verified, *_) = verify(small.settings, small.lake, views=[view])
        assert (verified.compared, verified.differences) == (len(online(small.settings, view)), 0)

    small.put_features({month(0): range(1, 41), month(1): range(21, 61)})
    checked("user_month", written=60, deleted=0)
    small.put_features({month(1): range(31, 65), month(2): [1, 2]})
    checked("user_month", written=46, deleted=0)
    small.put_features({month(0): []})
    checked("user_month", written=12, deleted=28)
    small.put_plays({month(each): {f"t{track}": 1 + track for track in range(each, 20)} for each in range(3)})
    checked("track_popularity", written=20, deleted=0)
    small.put_plays({month(0): {}})
    checked("track_popularity", written=19, deleted=1)
    small.put_tracks({f"t{number}": f"a{number % 9}" for number in range(40)})
    load(small)
    with target_of(small.settings).open() as store:
        (value,) = store.get_many("user_month", ["1"])
        assert value is not None
        strays = ["01", "-7", "one", "99", str(2**63)]
        store.write_many("user_month", strays, [value] * 5, store.begin("user_month"))
    (verified, *_) = verify(small.settings, small.lake, views=["user_month"])
    assert verified.kinds == {"extra": 5}
    assert load(small, "user_month", full=True)["user_month"].deleted == 5
    same(small, "user_month")


def test_into_a_redis(spark: SparkSession, tmp_path: Path, redis_address: str) -> None:
    small = small_lake(spark, tmp_path, "delta-rs", f"featurestore.address={redis_address}")
    small.put_features({month(0): range(1, 31), month(1): range(11, 41)})
    assert load(small, "user_month")["user_month"].written == 40
    same(small, "user_month")
    small.put_features({month(1): [11]})
    assert load(small, "user_month")["user_month"].deleted == 10
    same(small, "user_month")
    assert {each.view: each.kinds for each in verify(small.settings, small.lake, views=["user_month"])} == {
        "user_month": {}
    }


def test_a_folder_is_no_store_of_a_cluster(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^featurestore.address=lmdb:x: a store in a folder is of one"):
        check_reached(Target("lmdb:x", "NONE"), MemoryTasks(here=False))
    check_reached(Target("redis://other:1/0", "NONE"), MemoryTasks(here=False))
    check_reached(Target("lmdb:x", "NONE"), MemoryTasks(here=True))


def test_refused_by_name(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    with pytest.raises(UsageError, match=r"^no view x: there are user_month, "):
        load(small, "x")
    with pytest.raises(DataError, match=r"^view user_month: table features is not in .*: run the job that"):
        load(small, "user_month")

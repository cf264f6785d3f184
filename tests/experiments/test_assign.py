"""Assignment for life: once, the same everywhere, unmoved by growth, apart in layers, whole after a kill."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, LakeError, UsageError
from pozytywka_spark.experiments.assignment import assign as room
from pozytywka_spark.experiments.assignment import definitions
from pozytywka_spark.experiments.assignment.allocation import start
from pozytywka_spark.experiments.assignment.assign import assign, end, grow_share
from pozytywka_spark.experiments.assignment.cut_offs import chosen_cut_off, next_cut_off
from pozytywka_spark.experiments.assignment.hashing import bucket_of, layer_scope
from pozytywka_spark.lake import Lake, open_lake
from tests.worlds.known_effect import write_events

JANUARY, FEBRUARY, MARCH = date(2023, 1, 1), date(2023, 2, 1), date(2023, 3, 1)
USERS = range(1, 401)
BOUGHT = {user: datetime(2022, 12, 31, 23, 59, 59) for user in (1, 2, 3)} | {4: datetime(2023, 1, 1)}
FREE = [user for user in USERS if user not in (1, 2, 3, 5)]  # 5 has premium of which no purchase is known


@pytest.fixture
def lake(spark: SparkSession, settings: Settings) -> Lake:
    """Users 1 to 400 listened in December, 301 to 500 in January; 1 to 5 are about premium."""
    lake = open_lake(settings, spark)
    plays = [(user, datetime(2022, 12, 5), "PLAY") for user in USERS]
    plays += [(user, datetime(2023, 1, 5), "PLAY") for user in range(301, 501)]
    bought = [(user, time, "BUY_PREMIUM") for user, time in BOUGHT.items()]
    write_events(lake, pd.DataFrame([*plays, *bought], columns=["user_id", "time", "kind"]))
    users = [(user, "Radom", None, user <= 5) for user in range(1, 501)]
    lake.overwrite(spark.createDataFrame(users, schemas.USERS.schema).coalesce(1), schemas.USERS)
    return lake


def rows_of(lake: Lake, name: str) -> pd.DataFrame:
    found = lake.read("assignments", partitions=[{"experiment": name}]).toPandas()
    return found.sort_values(["user_id", "revision"], ignore_index=True)


def test_users_get_the_group_of_their_bucket_once_and_for_life(
    spark: SparkSession, settings: Settings, lake: Lake
) -> None:
    done = assign(settings, lake, "adverts", {"fewer": 20, "none": 10}, JANUARY)
    assert done.fates == {"assigned now": 396, "premium already": 4}
    rows = rows_of(lake, "adverts")
    expected = start({"fewer": 20, "none": 10})
    buckets = [bucket_of("pozytywka", "adverts", user) for user in FREE]
    assert rows[["user_id", "bucket", "group"]].to_numpy().tolist() == [
        [user, place, expected.group_of(place)] for user, place in zip(FREE, buckets, strict=True)
    ]
    assert set(rows["assigned_at"]) == {pd.Timestamp(JANUARY)}
    assert rows[["revision", "salt", "source", "moved_from"]].drop_duplicates().to_numpy().tolist() == [
        [1, "pozytywka", "hash", None]
    ]
    assert '"shares": {"control": 0.7, "fewer": 0.2, "none": 0.1}' in rows["settings"][0]

    version = lake.version("assignments")
    assert assign(settings, lake, "adverts", {"fewer": 20, "none": 10}, JANUARY).added == 0
    assert lake.version("assignments") == version
    later = assign(settings, lake, "adverts", at=FEBRUARY)
    assert later.fates == {"assigned now": 100, "assigned before": 101}  # 4 bought on the cut-off
    assert rows_of(lake, "adverts").head(396).equals(rows)
    assert [definitions.find(lake, "adverts").latest.revision, lake.version("experiments")] == [1, 0]


def test_without_a_cut_off_it_is_the_end_of_the_last_month_that_is_over(
    spark: SparkSession, settings: Settings, lake: Lake
) -> None:
    """January has begun: its events end on the fifth. One dated 2031 changes nothing."""
    stray = [(7, datetime(2031, 5, 5), "BUY_PREMIUM"), (8, datetime(2001, 5, 5), "PLAY")]
    write_events(lake, pd.DataFrame(stray, columns=["user_id", "time", "kind"]))
    done = assign(settings, lake, "adverts", {"fewer": 20})
    assert (done.at, done.added) == (JANUARY, 396)
    assert end(lake, "adverts").at == JANUARY
    assert chosen_cut_off(lake, settings.data, None) == (
        JANUARY,
        "2023-01 has begun: its data end on 2023-01-05; the cut-off is 2023-01-01; "
        "--at 2023-02 takes the begun month all the same",
    )
    assert chosen_cut_off(lake, settings.data, FEBRUARY) == (
        FEBRUARY, "2023-01 is not complete: its data end on 2023-01-05"
    )  # fmt: skip
    assert chosen_cut_off(lake, settings.data, JANUARY) == (JANUARY, "")
    ended = settings.data.model_copy(update={"end": datetime(2022, 12, 20, tzinfo=UTC)})
    with pytest.raises(DataError, match=r"no month is over: data from 2022-12-05 to 2022-12-19 .* --at YYYY"):
        next_cut_off(lake, ended)


def test_growth_is_for_newcomers_unless_control_is_told_to_move(
    spark: SparkSession, settings: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign(settings, lake, "adverts", {"treatment": 20}, JANUARY)
    before = rows_of(lake, "adverts")
    assert grow_share(lake, "adverts", {"treatment": 40}, FEBRUARY).moved == 0
    assert rows_of(lake, "adverts").equals(before)
    assign(settings, lake, "adverts", at=FEBRUARY)
    newcomers = rows_of(lake, "adverts").loc[lambda rows: rows["revision"] == 2]
    assert len(newcomers) == 100
    assert (newcomers["group"] == "treatment").equals(newcomers["bucket"] < 4000)

    # killed after the growth was recorded and before anybody moved: the next command moves them
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(room, "append_rows", killed)
        with pytest.raises(KeyboardInterrupt):
            grow_share(lake, "adverts", {"treatment": 50}, MARCH, move_control=True)
    assert len(rows_of(lake, "adverts")) == 496
    done = grow_share(lake, "adverts", {"treatment": 50}, MARCH, move_control=True)
    rows = rows_of(lake, "adverts")
    moved = rows[rows["revision"] == 3]
    was_control = rows[(rows["group"] == "control") & (rows["bucket"] < 5000) & (rows["user_id"] != 4)]
    assert moved["user_id"].tolist() == was_control["user_id"].tolist()  # 4 bought in January and stays
    assert set(moved["moved_from"]) == {"control"}
    assert set(moved["assigned_at"]) == {pd.Timestamp(MARCH)}
    assert done.moved == len(moved) > 100
    assert grow_share(lake, "adverts", {"treatment": 50}, MARCH, move_control=True).moved == 0
    assert len(rows_of(lake, "adverts")) == 496 + len(moved)

    for call, told in (
        (lambda: grow_share(lake, "adverts", {"treatment": 30}), "can't shrink from 50 to 30"),
        (lambda: grow_share(lake, "adverts", {"treatment": 60}, JANUARY), "time can't run backwards"),
        (
            lambda: assign(settings, lake, "adverts", {"treatment": 60}),
            "change them with experiment grow",
        ),
        (lambda: assign(settings, lake, "adverts", at=JANUARY), "holds from 2023-03-01 on"),
    ):
        with pytest.raises(UsageError, match=told):
            call()


def test_experiments_of_a_layer_share_no_user_and_an_ended_one_gives_its_place_back(
    spark: SparkSession, settings: Settings, lake: Lake
) -> None:
    def start_in_layer(name: str, traffic: float) -> int:
        return assign(settings, lake, name, {"t": 50}, JANUARY, layer="money", traffic=traffic).added

    assert start_in_layer("one", 40) + start_in_layer("two", 55) < 396
    one, two = (rows_of(lake, name) for name in ("one", "two"))
    assert not set(one["user_id"]) & set(two["user_id"])
    slots = [bucket_of("pozytywka", layer_scope("money"), user) for user in FREE]
    assert one["user_id"].tolist() == [u for u, slot in zip(FREE, slots, strict=True) if slot < 4000]
    with pytest.raises(
        UsageError, match=r"layer money has no room for 10% of users \(held: one 40%, two 55%"
    ):
        start_in_layer("three", 10)
    assert end(lake, "one", FEBRUARY).at == FEBRUARY
    assert end(lake, "one", MARCH).at == FEBRUARY
    with pytest.raises(UsageError, match="experiment one ended at 2023-02-01"):
        assign(settings, lake, "one", at=MARCH)
    assert start_in_layer("three", 10) > 0
    assert set(rows_of(lake, "three")["user_id"]) <= set(one["user_id"])


def test_two_definitions_at_the_same_moment_cannot_take_the_same_slot(
    spark: SparkSession, settings: Settings, lake: Lake
) -> None:
    known = definitions.read_experiments(lake)
    first, second = (
        definitions.define(settings, known, name, start({"t": 50}), JANUARY, layer="money", traffic=60)
        for name in ("one", "two")
    )
    definitions.append(lake, first, known)
    with pytest.raises(LakeError, match="changed by someone else at this moment: run the command again"):
        definitions.append(lake, second, known)
    assert list(definitions.read_experiments(lake)) == ["one"]


def test_what_cannot_be_assigned_is_named(spark: SparkSession, settings: Settings, lake: Lake) -> None:
    for call, kind, told in (
        (lambda: assign(settings, lake, "new"), UsageError, "no experiment new in .* none yet"),
        (lambda: assign(settings, lake, "New!", {"t": 5}), UsageError, "expected lower-case letters"),
        (lambda: assign(settings, lake, "new", {"t": 5}, date(2031, 1, 1)), DataError,
         "no user to assign at 2031-01-01: population 'active' is empty in 2030-12"),
    ):  # fmt: skip
        with pytest.raises(kind, match=told):
            call()
    assert not lake.exists("experiments")
    scored = settings.model_copy(
        update={"experiments": settings.experiments.model_copy(update={"population": "scored"})}
    )
    with pytest.raises(DataError, match=r"table predictions is not in .*: run the score job first"):
        assign(scored, lake, "new", {"t": 5}, JANUARY)

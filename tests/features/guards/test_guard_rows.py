"""Guard `rows`: a row too many and a row of a buyer are named, whichever files they lie in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build.items import Source
from pozytywka_spark.features.build.parcels import BOUGHT, BOUGHT_ROWS
from pozytywka_spark.features.guards.rows import CheckRows, check_rows
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import DataFile
from tests.in_memory import MemoryTasks

JANUARY, FEBRUARY, MARCH = (date(2023, month, 1) for month in (1, 2, 3))


class World:
    """Files of features, and purchases: one as a file of the table, one as a parcel."""

    def __init__(self) -> None:
        self.tasks = MemoryTasks()
        self.files: list[DataFile] = []
        self.bought: list[Source] = []

    def wrote(self, month: date, *users: int) -> None:
        rows = pl.DataFrame({"user_id": users, "plays": 1.0}, schema_overrides={"user_id": pl.Int64})
        self.files.append(self.tasks.files.put_file(rows, {"month": month}))

    def sold(self, user: int, at: datetime) -> None:
        held = pl.DataFrame({"user_id": [user], "purchased_at": [at], "extra": [1]})
        self.bought.append(self.tasks.files.put_file(held, {"month": at.date().replace(day=1)}))

    def sells(self, user: int, at: datetime) -> None:
        row = {"user_id": user, "purchased_at": int(at.timestamp()) * 1_000_000, "month": at.date()}
        self.bought.append(self.tasks.files.put(BOUGHT, pl.DataFrame([row], BOUGHT_ROWS)))

    def check(self) -> dict[str, list[tuple[int, int]]]:
        result, slices = check_rows(self.tasks, self.files, CheckRows(tuple(self.bought), 2, 3))
        assert (result.guard, result.checked) == (
            "rows", "one row per user and month, none after the purchase",
        )  # fmt: skip
        return slices


@pytest.fixture
def world() -> World:
    made = World()
    made.wrote(JANUARY, 1, 2)
    made.wrote(JANUARY, 3)
    made.wrote(FEBRUARY, 1)
    return made


def test_who_buys_at_the_cut_off_still_has_the_row(world: World) -> None:
    world.sold(1, datetime(2023, 3, 1, tzinfo=UTC))
    world.sells(2, datetime(2023, 2, 1, tzinfo=UTC))
    world.check()


def test_a_buyer_is_named_with_the_first_purchase(world: World) -> None:
    world.sold(1, datetime(2023, 2, 28, 23, 59, 59, tzinfo=UTC))
    world.sells(1, datetime(2023, 2, 28, 23, 59, 58, tzinfo=UTC))
    with pytest.raises(
        GuardError,
        match="guard rows: user 1, month 2023-02 bought premium at 2023-02-28 23:59:58, before the cut-off; "
        "such a row must not exist",
    ):
        world.check()
    world.sold(3, datetime(2022, 5, 1, tzinfo=UTC))
    with pytest.raises(GuardError, match="guard rows: user 3, month 2023-01 bought premium at 2022-05-01 00"):
        world.check()


def test_a_row_twice_is_found_across_files(world: World) -> None:
    world.wrote(FEBRUARY, 5, 5, 1)
    world.wrote(FEBRUARY, 5)
    with pytest.raises(GuardError, match="guard rows: user 1, month 2023-02 stands 2 times; expected"):
        world.check()
    world.wrote(JANUARY, 3, 3)
    with pytest.raises(GuardError, match="guard rows: user 3, month 2023-01 stands 3 times; expected"):
        world.check()


def test_slices_of_files_are_told(world: World) -> None:
    users = pl.DataFrame({"user_id": [1, 2, 3]}).select(
        "user_id",
        bucket=user_bucket(pl.col("user_id"), 2),
        number=slice_of("user_id", 3, apart_from=2),
    )
    where = {user: (bucket, number) for user, bucket, number in users.rows()}
    assert world.check() == {
        world.files[0].place: sorted({where[1], where[2]}),
        world.files[1].place: [where[3]],
        world.files[2].place: [where[1]],
    }

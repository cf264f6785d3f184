"""Who gets which group, without Spark: once, in any number of slices, and nobody who has premium."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from pozytywka_spark.experiments.analysis.past_work import CountPastBuyers, shares_told
from pozytywka_spark.experiments.assignment.allocation import Allocation, grow, start
from pozytywka_spark.experiments.assignment.assign import fates_told
from pozytywka_spark.experiments.assignment.definition import HASH, RUNNING, Definition
from pozytywka_spark.experiments.assignment.enrol_work import EnrolUsers, MoveControl, Premium
from pozytywka_spark.experiments.assignment.groups import CountGroups, CountUsers, sizes_told
from pozytywka_spark.experiments.assignment.hashing import bucket_of, layer_scope
from pozytywka_spark.experiments.assignment.import_work import CheckRows, ImportExposures, ImportGroups
from pozytywka_spark.experiments.assignment.population import CountFree, members_in
from pozytywka_spark.experiments.purchases import BOUGHT, FindPurchases
from pozytywka_spark.experiments.slices import Slice, all_slices
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.moderation.blocked import NOBODY, Blocked
from pozytywka_spark.months import start_micros
from tests.in_memory import MemoryTasks

JANUARY, FEBRUARY, MARCH = date(2023, 1, 1), date(2023, 2, 1), date(2023, 3, 1)
_US = pl.Datetime("us", "UTC")
EVENT = {"user_id": pl.Int64, "event_time": _US, "event_type": pl.String}
RUN = {"weight": lambda _: 1, "named": str}
USERS = range(1, 201)
# 1 bought in time, 2 at the very cut-off; 3 is marked and nothing is on record; 4 is marked and buys later
PURCHASES = {1: datetime(2022, 12, 31, 23, tzinfo=UTC), 2: datetime(2023, 1, 1, tzinfo=UTC),
             4: datetime(2023, 2, 3, tzinfo=UTC)}  # fmt: skip


def put(tasks: MemoryTasks, rows: Sequence[tuple[object, ...]], schema: dict[str, object]) -> DataFile:
    return tasks.files.put_file(pl.DataFrame(rows, schema=schema, orient="row"), {})


def premium(tasks: MemoryTasks, at: date) -> Premium:
    events = [
        put(tasks, [(1, PURCHASES[1], "BUY_PREMIUM"), (5, PURCHASES[1], "PLAY")], EVENT),
        put(tasks, [(user, time, "BUY_PREMIUM") for user, time in PURCHASES.items()], EVENT),
    ]
    bought = tasks.run(events, FindPurchases(), **RUN).of(BOUGHT)
    marked = [(user, user in (1, 2, 3, 4)) for user in USERS]
    users = put(tasks, [*marked, (999, None)], {"user_id": pl.Int64, "premium_user": pl.Boolean})
    return Premium(tuple(bought), (users,), at)


def defined(allocation: Allocation, revision: int = 1, *, layer: str = "", moves: bool = False) -> Definition:
    low, high = (2000, 7000) if layer else (0, 10_000)
    return Definition(
        "adverts", revision, JANUARY, RUNNING, HASH, "salt", layer, low, high, allocation, moves, {"a": 1}
    )


def slices(number: int) -> list[Slice]:
    return [Slice(each, number) for each in range(number)]


def enrolled(
    tasks: MemoryTasks,
    definition: Definition,
    assigned: tuple[DataFile, ...],
    at: date,
    number: int,
    blocked: Blocked = NOBODY,
) -> tuple[dict[str, int], pl.DataFrame]:
    # in two files, some users in both
    files = [put(tasks, [(user,) for user in part], {"user_id": pl.Int64}) for part in (USERS, USERS[:90])]
    work = EnrolUsers(definition, members_in(tasks, files), premium(tasks, at), assigned, blocked)
    done = tasks.run(slices(number), work, **RUN)
    rows = [tasks.rows(written) for written in done.written]
    return fates_told(done.results), pl.concat(rows).sort("user_id") if rows else pl.DataFrame()


def test_nobody_blocked_at_the_cut_off_is_assigned_and_all_may_be_later() -> None:
    tasks, definition = MemoryTasks(), defined(start({"fewer": 20}))
    hours = {5: (-48, 0), 6: (-48, 1), 7: (0, 24), 8: (1, 24)}  # of blocks, around the cut-off: half-open
    cut_off = datetime(2023, 1, 1, tzinfo=UTC)
    rows = [
        {"user_id": user, "case_id": f"c{user}", "starts_at": cut_off + timedelta(hours=start_hour),
         "ends_at": cut_off + timedelta(hours=end_hour), "recorded_at": cut_off - timedelta(hours=48)}
        for user, (start_hour, end_hour) in hours.items()
    ]  # fmt: skip
    blocks = tasks.files.put_file(pl.DataFrame(rows), {"month": date(2022, 12, 1)})
    at = start_micros(JANUARY)
    fates, assigned = enrolled(tasks, definition, (), JANUARY, 2, Blocked((blocks,), at, at))
    assert fates["blocked"] == 2
    assert {5, 6, 7, 8} - set(assigned["user_id"]) == {6, 7}


@pytest.mark.parametrize("number", [1, 4])
def test_everybody_free_gets_the_group_of_their_bucket_once(number: int) -> None:
    tasks, definition = MemoryTasks(), defined(start({"fewer": 20, "none": 10}), layer="money")
    fates, rows = enrolled(tasks, definition, (), JANUARY, number)
    free = [user for user in USERS if user not in (1, 3)]
    inside = [user for user in free if 2000 <= bucket_of("salt", layer_scope("money"), user) < 7000]
    expected = [
        {
            "user_id": user,
            "group": definition.allocation.group_of(bucket_of("salt", "adverts", user)),
            "bucket": bucket_of("salt", "adverts", user),
            "assigned_at": datetime(2023, 1, 1, tzinfo=UTC),
            "revision": 1,
            "moved_from": None,
            "salt": "salt",
            "source": "hash",
            "settings": '{"a": 1}',
        }
        for user in inside
    ]
    assert rows.to_dicts() == expected
    outside = len(free) - len(inside)
    assert fates == {"assigned now": len(inside), "premium already": 2, "outside the slot": outside}

    assigned = tuple(tasks.files.put_file(rows, {"experiment": name}) for name in ("adverts",))
    again = enrolled(tasks, definition, assigned, MARCH, number)
    assert again[0] == {
        "assigned before": len(inside),
        "premium already": len({1, 2, 3, 4} - set(inside)),
        "outside the slot": len([user for user in free if user not in (*inside, 2, 4)]),
    }
    assert not again[1].height
    sizes = sizes_told(tasks.run(slices(number), CountGroups(assigned), **RUN).results)
    assert sizes == dict(rows.group_by("group").len().iter_rows())
    other = tasks.files.put_file(rows.head(7), {"experiment": "other"})
    counted = tasks.run(slices(number), CountUsers((*assigned, other, other)), **RUN)
    assert sizes_told(counted.results) == {"adverts": len(inside), "other": 7}


@pytest.mark.parametrize("number", [1, 3])
def test_growth_moves_control_alone_and_nobody_twice(number: int) -> None:
    tasks, before = MemoryTasks(), start({"t": 20})
    _, rows = enrolled(tasks, defined(before), (), JANUARY, 1)
    assigned = (tasks.files.put_file(rows, {}),)
    grown = defined(grow(before, {"t": 60}), 2, moves=True)
    work = MoveControl(grown, premium(tasks, MARCH), assigned)
    done = tasks.run(slices(number), work, **RUN)
    moved = pl.concat([tasks.rows(written) for written in done.written]).sort("user_id")
    expected = [
        user
        for user in USERS
        if user not in (1, 2, 3, 4) and 2000 <= bucket_of("salt", "adverts", user) < 6000
    ]
    assert moved["user_id"].to_list() == expected
    assert set(moved.select("group", "moved_from", "revision", "assigned_at").iter_rows()) == {
        ("t", "control", 2, datetime(2023, 1, 1, tzinfo=UTC))
    }
    assert sum(line["moved"] for line in done.results) == len(expected)
    after = (*assigned, tasks.files.put_file(moved, {}))
    again = tasks.run(slices(number), MoveControl(grown, premium(tasks, MARCH), after), **RUN)
    assert (sum(line["moved"] for line in again.results), again.written) == (0, ())
    sizes = sizes_told(tasks.run(slices(number), CountGroups(after), **RUN).results)
    assert sizes["t"] == (rows["group"] == "t").sum() + len(expected)


@pytest.mark.parametrize("number", [1, 3])
def test_how_many_may_enter_and_how_often_their_like_bought(number: int) -> None:
    tasks = MemoryTasks()
    months = {date(2022, 11, 1): [1, 2, 4, 5, 5], date(2022, 12, 1): [1, 2], date(2022, 10, 1): []}
    files = [
        tasks.files.put_file(pl.DataFrame({"user_id": users}, {"user_id": pl.Int64}), {"event_month": month})
        for month, users in months.items()
    ]
    members = members_in(tasks, files)
    free = tasks.run(slices(number), CountFree(members, premium(tasks, JANUARY)), **RUN)
    assert sum(line["free"] for line in free.results) == 3
    bought = premium(tasks, FEBRUARY).bought
    done = tasks.run(slices(number), CountPastBuyers(members, bought, FEBRUARY), **RUN)
    # of November's 1, 2, 4, 5 the first two bought in [December, February); 1 had before December's end
    assert shares_told(done.results) == {date(2022, 11, 1): 2 / 4, date(2022, 12, 1): 1.0}


GROUPS = {"user_id": pl.Int64, "group": pl.String}


@pytest.mark.parametrize("number", [1, 3])
def test_groups_that_are_taken_over(number: int) -> None:
    tasks, definition = MemoryTasks(), defined(start({"t": 50}))
    known = [(7, "t", None, 1, datetime(2023, 1, 1, tzinfo=UTC)),
             (8, "t", None, 1, datetime(2023, 1, 1, tzinfo=UTC))]  # fmt: skip
    schema = {**GROUPS, "bucket": pl.Int32, "revision": pl.Int32, "assigned_at": _US}
    assigned = (put(tasks, known, schema),)
    rows = [(5, "t"), (5, "t"), (6, "control"), (7, "t"), (8, "control"), (1, "t"), (9, "t"), (9, "control")]
    groups = (put(tasks, rows[:4], GROUPS), put(tasks, [*rows[4:], (None, "odd")], GROUPS))
    checked = tasks.run(groups, CheckRows(("user_id",)), **RUN).results
    assert sum(line["lacking"] for line in checked) == 1
    assert {group for line in checked for group in line["groups"]} == {"t", "control", "odd"}
    done = tasks.run(
        slices(number), ImportGroups(definition, groups, premium(tasks, JANUARY), assigned), **RUN
    )
    assert fates_told(done.results) == {"assigned now": 4, "assigned before": 2, "premium already": 1}
    assert [sum(line[what] for line in done.results) for what in ("several", "changed")] == [1, 1]
    written = pl.concat([tasks.rows(each) for each in done.written]).sort("user_id", "group")
    assert written.select("user_id", "group", "bucket").rows() == [
        (5, "t", None), (6, "control", None), (9, "control", None), (9, "t", None),
    ]  # fmt: skip


def test_exposures_are_taken_in_once() -> None:
    tasks = MemoryTasks()
    first, second = (datetime(2023, 1, day, tzinfo=UTC) for day in (3, 4))
    times = {"user_id": pl.Int64, "exposed_at": _US}
    rows = (put(tasks, [(1, first), (1, first), (1, second), (2, first)], times),)
    stored = (put(tasks, [(2, first), (1, datetime(2023, 1, 5, tzinfo=UTC))], times),)
    done = tasks.run(all_slices([*rows, *stored], 2), ImportExposures("x", rows, stored), **RUN)
    assert sum(line["fresh"] for line in done.results) == 2
    written = pl.concat([tasks.rows(each) for each in done.written]).sort("exposed_at")
    assert written.rows() == [(1, first), (1, second)]

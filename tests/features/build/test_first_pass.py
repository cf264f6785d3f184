"""Job one over frames in memory."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.contents import contents_digest
from pozytywka_spark.features.build.first_pass import (
    CatalogueTables,
    FirstPass,
    TableContents,
)
from pozytywka_spark.features.build.parcels import BOUGHT, BOUGHT_ROWS, TRACKS, USERS
from pozytywka_spark.features.build.purchases import BoughtIn, first_purchases
from pozytywka_spark.lake.tasks import Done
from tests.in_memory import MemoryTasks
from tests.worlds.month_world import MARCH, catalogue, dimensions, events, micros

MAY = date(2023, 5, 1)
EVENTS = """
2 2023-03-05 10:00:00 B 11 -
2 2023-03-04 09:00:00 B 12 -
2 2023-03-03 09:00:00 P 12 t1
- 2023-03-01 09:00:00 B 13 -
1 2023-03-31 23:59:59 B 14 -
"""


def run(tasks: MemoryTasks, *items: BoughtIn | CatalogueTables) -> Done:
    return tasks.run(items, FirstPass(), weight=lambda item: item.size, named=str)


def test_the_first_purchase_of_each_known_user() -> None:
    expected = [(1, micros("2023-03-31 23:59:59"), MARCH), (2, micros("2023-03-04 09:00:00"), MARCH)]
    assert_frame_equal(
        first_purchases(events(EVENTS), MARCH), pl.DataFrame(expected, schema=BOUGHT_ROWS, orient="row")
    )


def test_purchases_are_staged_by_month_and_written_a_file_for_a_bucket() -> None:
    tasks = MemoryTasks()
    both = events(EVENTS).sort("event_time")
    partition = {"event_month": MARCH, "user_bucket": 0}
    files = [tasks.files.put_file(part, partition) for part in (both[::2], both[1::2])]
    other = events("7 2023-03-02 00:00:00 B 1 -")
    third = tasks.files.put_file(other, {"event_month": MARCH, "user_bucket": 1})
    none = tasks.files.put_file(
        events("7 2023-05-02 00:00:00 P 1 t1"), {"event_month": MAY, "user_bucket": 0}
    )
    done = run(
        tasks, BoughtIn(MARCH, 0, tuple(files)), BoughtIn(MARCH, 1, (third,)), BoughtIn(MAY, 0, (none,))
    )
    staged = tasks.files.staged(BOUGHT)
    assert list(staged) == [("", "2023-03-01")]
    assert sorted(staged["", "2023-03-01"].rows()) == [
        (1, micros("2023-03-31 23:59:59"), MARCH),
        (2, micros("2023-03-04 09:00:00"), MARCH),
        (7, micros("2023-03-02 00:00:00"), MARCH),
    ]
    assert [(name, partition) for name, partition, _ in tasks.files.written] == [
        ("first_purchases", {"month": MARCH})
    ] * 2
    written = pl.concat([rows for _, _, rows in tasks.files.written])
    assert sorted(written.rows()) == [
        (1, datetime(2023, 3, 31, 23, 59, 59, tzinfo=UTC)),
        (2, datetime(2023, 3, 4, 9, tzinfo=UTC)),
        (7, datetime(2023, 3, 2, tzinfo=UTC)),
    ]
    assert written.schema == {"user_id": pl.Int64, "purchased_at": pl.Datetime("us", "UTC")}
    assert sorted((told["month"], told["bucket"], told["bought"]) for told in done.results) == [
        ("2023-03-01", 0, 2),
        ("2023-03-01", 1, 1),
        ("2023-05-01", 0, 0),
    ]


def test_the_catalogue_is_put_down_in_numbers_and_told_by_digests() -> None:
    tasks, tables = MemoryTasks(), catalogue()
    more = {name: rows.with_columns(more=pl.lit("unread")) for name, rows in tables.items()}
    files = {
        name: tuple(tasks.files.put_file(part, {}) for part in (rows.tail(1), rows.head(rows.height - 1)))
        for name, rows in more.items()
    }
    done = run(
        tasks, CatalogueTables(**files), *(TableContents(name, found) for name, found in files.items())
    )
    expected = dimensions(tables)
    assert_frame_equal(tasks.files.staged(TRACKS)[()], expected.tracks)
    assert_frame_equal(tasks.files.staged(USERS)[()], expected.users)
    told = [facts for facts in done.results if "counts" in facts]
    assert told == [{"counts": {"tracks": 3, "artists": 2, "track_storage": 1, "users": 3}}]
    assert {facts["table"]: facts["digest"] for facts in done.results if "digest" in facts} == {
        name: contents_digest(rows) for name, rows in tables.items()
    }


def test_an_empty_catalogue_has_digests_too() -> None:
    tasks = MemoryTasks()
    contents = (TableContents(name, ()) for name in ("tracks", "artists", "track_storage", "users"))
    done = run(tasks, CatalogueTables((), (), (), ()), *contents)
    assert done.parcels == ()
    nothing = {"tracks": 0, "artists": 0, "track_storage": 0, "users": 0}
    assert [facts["counts"] for facts in done.results if "counts" in facts] == [nothing]
    assert len({facts["digest"] for facts in done.results if "digest" in facts}) == 4

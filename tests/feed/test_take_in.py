"""Surveys and what was seen: rows in, tables and reasons out, and the same again."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from pozytywka_spark import schemas
from pozytywka_spark.feed.said import KINDS, SEEN, SURVEYS, as_aside, read, settle
from pozytywka_spark.feed.take_in_work import CAME, REASONS, REFUSED, PutAside, TakeIn
from pozytywka_spark.moderation.reading import read_rows, times
from tests.in_memory import MemoryTasks

USERS = pl.DataFrame({"user_id": [101, 102, 103]})
TRACKS = pl.DataFrame({"id": ["a", "b"]})


def _rows(tmp_path: Path, kind: str, lines: list[object]) -> pl.DataFrame:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines))
    return pl.concat(list(read_rows(str(path), None, KINDS[kind].columns)))


def _line(user: object, track: object, at: object, number: object, kind: str = SURVEYS) -> dict[str, object]:
    one = KINDS[kind]
    return {"user_id": user, "track_id": track, one.time: at, one.number: number}


def test_rows_that_cannot_be_read_go_aside_with_their_reason(tmp_path: Path) -> None:
    kind = KINDS[SURVEYS]
    rows = _rows(
        tmp_path,
        SURVEYS,
        [
            _line(101, "a", "2023-05-01T10:00:00", 4),
            _line("x", "a", "2023-05-01T10:00:00", 4),
            _line(101, None, "2023-05-01T10:00:00", 4),
            _line(101, "a", "soon", 4),
            _line(101, "a", "2023-05-01T10:00:00", 7),
            _line(101, "a", "2023-05-01T10:00:00", None),
            "{no row",
        ],
    )
    sound, aside = read(kind, rows, times(rows.get_column("asked_at")))
    assert sound.rows() == [(101, "a", 1_682_935_200_000_000, 4)]
    assert aside.get_column("reason").to_list() == [
        "no user_id",
        "no track_id",
        "no time",
        "answer is none from 1 to 5",
        "answer is none from 1 to 5",
        "unreadable row",
    ]


def test_a_place_may_be_unknown(tmp_path: Path) -> None:
    rows = _rows(
        tmp_path,
        SEEN,
        [_line(101, "a", "2023-05-01", None, SEEN), _line(101, "b", "2023-05-01", 0, SEEN)],
    )
    sound, aside = read(KINDS[SEEN], rows, times(rows.get_column("seen_at")))
    assert sound.get_column("position").to_list() == [None]
    assert aside.get_column("reason").to_list() == ["position is none from 1 to 1000000"]


def test_rows_beside_those_that_are_there() -> None:
    kind = KINDS[SURVEYS]

    def frame(*rows: tuple[int, str, int, int]) -> pl.DataFrame:
        return pl.DataFrame(list(rows), schema=kind.sound, orient="row")

    came = frame(
        (101, "a", 10, 3),
        (101, "a", 10, 3),  # twice
        (101, "b", 10, 5),
        (101, "b", 10, 2),  # another answer: the smaller counts
        (102, "a", 10, 1),  # there already
        (103, "a", 10, 1),  # there with another answer
        (109, "a", 10, 1),
        (102, "z", 10, 1),
    )
    done = settle(kind, came, frame((102, "a", 10, 1), (103, "a", 10, 4)), USERS, TRACKS)
    assert done.new.rows() == [(101, "a", 10, 3), (101, "b", 10, 2)]
    assert [(row["user_id"], row["reason"]) for row in done.aside.to_dicts()] == [
        ("109", "unknown user"),
        ("102", "unknown track"),
        ("101", "another answer is there"),
        ("103", "another answer is there"),
    ]
    assert done.duplicates == 2


def test_what_is_aside_names_no_user() -> None:
    rows = pl.DataFrame(
        [{"user_id": "4711", "track_id": "a", "asked_at": "x", "answer": "3", "reason": "no time"}]
    )
    aside = as_aside(KINDS[SURVEYS], rows, "file.csv")
    assert "4711" not in str(aside.rows())
    assert aside.get_column("text").to_list() == ['{"track_id": "a", "asked_at": "x", "answer": "3"}']


@pytest.mark.parametrize("buckets", [1, 3])
def test_tasks_write_new_rows_once(buckets: int) -> None:
    tasks = MemoryTasks()
    kind = KINDS[SEEN]
    moment = 1_682_935_200_000_000
    came = pl.DataFrame(
        [(101, "a", moment, 1), (102, "b", moment + 86_400_000_000, None), (999, "a", moment, 2)],
        schema=kind.sound,
        orient="row",
    )
    users = (tasks.files.put_file(USERS, {}),)
    tracks = (tasks.files.put_file(TRACKS, {}),)

    def take(there: tuple[object, ...]) -> object:
        work = TakeIn(SEEN, buckets, (tasks.put(CAME, came),), there, users, tracks, "seen.csv")  # type: ignore[arg-type]
        return tasks.run(range(buckets), work, weight=lambda _: 1, named=str)

    done = take(())
    rows = pl.concat([tasks.rows(one) for one in done.written])
    assert sorted(rows.rows()) == [
        (101, "a", datetime(2023, 5, 1, 10, tzinfo=UTC), 1),
        (102, "b", datetime(2023, 5, 2, 10, tzinfo=UTC), None),
    ]
    assert sorted({one.partition["day"] for one in done.written}) == ["2023-05-01", "2023-05-02"]
    assert [line[REASONS] for line in done.results if line[REASONS]] == [{"unknown user": 1}]
    there = tuple(
        tasks.files.put_file(tasks.rows(one), {"day": date(2023, 5, 1), "user_bucket": 0})
        for one in done.written
    )
    assert not take(there).written
    refused = tuple(done.of(REFUSED))
    aside = tasks.run([0], PutAside(refused, ()), weight=lambda _: 1, named=str)
    assert aside.written[0].table == schemas.FEED_ASIDE.name
    held = (tasks.files.put_file(tasks.rows(aside.written[0]), {}),)
    assert not tasks.run([0], PutAside(refused, held), weight=lambda _: 1, named=str).written

"""Answers as they come in: taken, aside with a reason, or there already."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.moderation.answers import (
    SECOND_ANSWER,
    TOO_EARLY,
    UNKNOWN_CASE,
    Judged,
    judge,
)
from pozytywka_spark.moderation.appeals import judge_appeals
from pozytywka_spark.moderation.reading import micros_of, read_rows
from pozytywka_spark.months import DAY_MICROS as DAY

COLUMNS = ("case_id", "reviewer", "verdict", "decided_at")
CAME = {"case_id": pl.String, "reviewer": pl.String, "verdict": pl.String, "decided_at": pl.Int64}
CASES = pl.DataFrame([("a", 10), ("b", 10)], schema={"case_id": pl.String, "cut_off": pl.Int64}, orient="row")


def came(*rows) -> pl.DataFrame:
    whole = [(*row, None) if len(row) == 4 else row for row in rows]
    return pl.DataFrame(whole, schema={**CAME, "trouble": pl.String}, orient="row")


def held(*rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=CAME, orient="row")


def aside(*rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={**CAME, "source": pl.String, "reason": pl.String}, orient="row")


def reasons(judged: Judged) -> list[tuple[str, str]]:
    return judged.aside.select("reviewer", "reason").rows()


def test_each_reason_by_name() -> None:
    rows = came(
        ("a", "Ann", "bad", 10),
        ("a", "Ann", "ok", 12),
        ("a", "Ben", "bad", 9),
        ("a", "Cat", "maybe", 12),
        ("a", "Dan", "bad", None),
        ("c", "Eve", "bad", 12),
        (None, "Fay", "bad", 12),
        ("a", None, "bad", 12),
        ("a", "silence", "ok", 12),
        (None, None, None, None, "unreadable row"),
        ("a", "chargeback", "bad", 30),
    )
    judged = judge(rows, CASES, held(), aside())
    assert judged.taken.rows() == [
        ("a", "Ann", "bad", 10, "person"),
        ("a", "chargeback", "bad", 30, "chargeback"),
    ]
    assert sorted(reasons(judged), key=str) == sorted(
        [
            ("Ann", SECOND_ANSWER),
            ("Ben", TOO_EARLY),
            ("Cat", "verdict is none of bad, ok, unsure"),
            ("Dan", "decided_at is no time"),
            ("Eve", UNKNOWN_CASE),
            ("Fay", "no case_id"),
            (None, "no reviewer"),
            ("silence", "no reviewer is called silence or model"),
            (None, "unreadable row"),
        ],
        key=str,
    )
    assert (judged.taken_new, judged.refused.height, judged.duplicates) == (2, 9, 0)


def test_the_first_by_time_counts_whatever_the_files_order() -> None:
    judged = judge(came(("a", "Ann", "ok", 14), ("a", "Ann", "bad", 12)), CASES, held(), aside())
    assert judged.taken.rows() == [("a", "Ann", "bad", 12, "person")]
    again = judge(came(("a", "Ann", "ok", 11)), CASES, held(("a", "Ann", "bad", 12)), aside())
    assert reasons(again) == [("Ann", SECOND_ANSWER)]


def test_what_waits_is_tried_again() -> None:
    waiting = aside(
        ("b", "Ann", "bad", 12, "person", UNKNOWN_CASE), ("z", "Ann", "bad", 12, "person", UNKNOWN_CASE)
    )
    judged = judge(came(("z", "Ann", "bad", 12), ("b", "Ann", "bad", 12)), CASES, held(), waiting)
    assert judged.taken.rows() == [("b", "Ann", "bad", 12, "person")]
    assert judged.aside.rows() == [("z", "Ann", "bad", 12, "person", UNKNOWN_CASE)]
    assert (judged.taken_new, judged.refused.height, judged.duplicates) == (0, 0, 2)
    assert (judged.tried, judged.found) == (2, 1)


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from(["Ann", "Ben", "chargeback", "model", None]),
        st.sampled_from(["bad", "ok", "unsure", "maybe", None]),
        st.sampled_from([9, 10, 11, None]),
    ),
    max_size=40,
)


@pytest.mark.thorough
@settings(max_examples=25)
@given(first=ROWS, second=ROWS)
def test_nothing_is_lost_and_the_same_file_twice_adds_nothing(first, second) -> None:
    table, left = held(), aside()
    for rows in (first, second, first, second):
        judged = judge(came(*rows), CASES, table, left)
        assert judged.taken_new + judged.refused.height + judged.duplicates == len(rows)
        assert judged.taken.height == judged.taken_new
        grown = pl.concat([table, judged.taken.select(COLUMNS)])
        assert not grown.select("case_id", "reviewer").is_duplicated().any()
        twice = judge(came(*rows), CASES, grown, judged.aside)
        assert (twice.taken_new, twice.refused.height, twice.duplicates) == (0, 0, len(rows))
        assert twice.aside.equals(judged.aside)
        table, left = grown, judged.aside


APPEALS = {
    "user_id": pl.Int64,
    "case_id": pl.String,
    "appealed_at": pl.Int64,
    "reviewer": pl.String,
    "verdict": pl.String,
    "decided_at": pl.Int64,
}


def test_appeals_by_reason() -> None:
    cases = pl.DataFrame({"case_id": ["a"], "accounts": [[1, 2]]})
    fouls = pl.DataFrame({"user_id": [1], "case_id": ["a"], "released_at": [100]})
    verdicts = held(("a", "Ann", "bad", 50), ("a", "Ben", "ok", 60))
    rows = [
        (1, "a", 200, "Cat", "upheld", 300),
        (1, "a", 200, "Cat", "upheld", 300),  # twice
        (1, "a", 201, None, None, None),  # nobody has judged it
        (1, "a", 202, "Ann", "upheld", 300),
        (1, "a", 203, "Ben", "rejected", 300),
        (1, "a", 204, "Cat", "upheld", 203),
        (1, "a", 205, "Cat", "perhaps", 300),
        (1, "a", 206, "Cat", None, 300),
        (1, "a", 99, "Cat", "upheld", 300),
        (1, "a", 101 + 183 * DAY, "Cat", "upheld", 200 * DAY),
        (3, "a", 200, "Cat", "upheld", 300),
        (1, "b", 200, "Cat", "upheld", 300),
        (2, "a", 5, "Cat", "upheld", 300),  # nothing is released against 2 yet
        (1, "a", 200, "Dan", "rejected", 310),  # judged before
        (1, "a", None, "Dan", "rejected", 310),
    ]
    frame = pl.DataFrame(rows, schema=APPEALS, orient="row").with_columns(
        trouble=pl.lit(None, pl.String), bad_time=pl.lit(False)
    )
    held_before = pl.DataFrame([], schema=APPEALS)
    judged = judge_appeals(frame, cases, verdicts, fouls, held_before)
    assert judged.appeals.rows() == [rows[0], rows[2], rows[4], rows[12]]
    assert (judged.taken, judged.refused.height, judged.duplicates) == (4, 10, 1)
    assert judged.refused.group_by("reason").len().sort("reason").rows() == [
        ("a judged appeal needs reviewer, verdict and decided_at", 1),
        ("appealed_at or decided_at is no time", 1),
        ("decided before it was made", 1),
        ("judged by a person who said bad", 1),
        ("no case of this account", 2),
        ("not within 183 days of the foul's release", 2),
        ("verdict is none of upheld, rejected", 1),
        ("was judged otherwise before", 1),
    ]
    # judged later: the same key, once
    later = [(1, "a", 201, "Cat", "upheld", 400), (1, "a", 201, None, None, None)]
    more = pl.DataFrame(later, schema=APPEALS, orient="row").with_columns(
        trouble=pl.lit(None, pl.String), bad_time=pl.lit(False)
    )
    again = judge_appeals(more, cases, verdicts, fouls, judged.appeals)
    assert again.appeals.rows() == [rows[0], later[0], rows[4], rows[12]]
    assert (again.taken, again.refused.height, again.duplicates) == (1, 0, 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2023-05-01", 0.0),
        ("2023-05-01T12:00:00", 0.5),
        ("2023-05-01 12:00:00.000001", 0.5 + 1e-6 / 86_400),
        ("2023-05-01T12:00:00Z", 0.5),
        ("2023-05-01T12:00:00+06:00", 0.25),
        ("2023-05-32", None),
        ("1683000000", None),
        ("", None),
        (None, None),
        ("1970-01-01", None),
    ],
)
def test_times(text, day) -> None:
    start = 19_478 * DAY
    assert micros_of(text) == (None if day is None else start + round(day * DAY))


def test_the_formats_are_one(tmp_path: Path) -> None:
    rows = [{"case_id": "a", "reviewer": "Ann, B", "verdict": "bad", "decided_at": "2023-05-01T12:00:00"}]
    frame = pl.DataFrame(rows)
    frame.write_csv(tmp_path / "x.csv")
    (tmp_path / "x.jsonl").write_text(json.dumps({**rows[0], "note": [1]}) + "\n\n{\n[]\n", encoding="utf-8")
    frame.with_columns(pl.col("decided_at").str.to_datetime()).write_parquet(tmp_path / "x.parquet")
    whole = {**rows[0], "trouble": None}
    for name in ("x.csv", "x.parquet"):
        assert pl.concat(read_rows(str(tmp_path / name), None, COLUMNS)).to_dicts() == [whole]
    told = pl.concat(read_rows(str(tmp_path / "x.jsonl"), None, COLUMNS)).to_dicts()
    assert told[0] == whole
    assert [row["trouble"] for row in told] == [None, "unreadable row", "unreadable row"]


def test_what_is_no_file_of_ours(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.csv: there is no such file"):
        next(read_rows(str(tmp_path / "no.csv"), None, COLUMNS))
    odd = tmp_path / "x.xls"
    odd.write_text("case_id,reviewer\n")
    with pytest.raises(UsageError, match="say what it is with --format"):
        next(read_rows(str(odd), None, COLUMNS))
    with pytest.raises(UsageError, match="no column verdict, decided_at; it has case_id, reviewer"):
        next(read_rows(str(odd), "csv", COLUMNS))

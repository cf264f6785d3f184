"""Texts beside those that the lake holds: the latest of an identifier, in its month; retention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.ingest.masking.retention import DeleteTexts, PlaceTexts, months_before
from pozytywka_spark.ingest.parcels import ROWS, catalogue_rows
from pozytywka_spark.ingest.resolve.rejected import BatchStamp
from pozytywka_spark.ingest.resolve.resolve_rows import BatchFiles, Resolved, resolve_texts
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.schemas import FEEDBACK
from tests.in_memory import MemoryTasks

COLUMNS = ("feedback_id", "user_id", "text", "score", "feedback_month", "user_bucket")
T0 = datetime(2023, 1, 1, tzinfo=UTC)


class MemoryTexts:
    """A table of texts in memory, and the batches that go into it; a batch's files are lists of rows."""

    def __init__(self, *, buckets: int = 1, texts_from: datetime | None = None) -> None:
        self.tasks, self._buckets, self.texts_from = MemoryTasks(2), buckets, texts_from
        self.held: list[Written] = []

    def resolve(self, *files: Sequence[Mapping[str, Any]], replay: bool = False) -> Resolved:
        rows = [
            _row(source, order, row) for source, file in enumerate(files) for order, row in enumerate(file)
        ]
        staged = [self.tasks.put(ROWS, pl.DataFrame(rows, catalogue_rows(FEEDBACK)))]
        sources = tuple((datetime(2023, 1, 1 + n), f"/d/{n}") for n in range(len(files)))
        batch = BatchFiles(BatchStamp("feedback", "s", 0, 1), sources, replay)
        shards = self.tasks.shards("feedback", self.held)
        resolved = resolve_texts(
            self.tasks, staged, shards, [], batch, buckets=self._buckets, texts_from=self.texts_from
        )
        new = [one for one in resolved.written if one.table == "feedback"]
        if resolved.replaces:
            self.upsert(new)
        else:
            self.held += new
        return resolved

    def upsert(self, new: Sequence[Written]) -> None:
        """New rows in place of those of their identifiers, as `Lake.upsert`."""
        ids = pl.concat([self.tasks.rows(one).get_column("feedback_id") for one in new]).implode()
        before, files, first = self.held, self.tasks.files, len(self.tasks.files.written)
        for one in before:
            stays = ~pl.col("feedback_id").is_in(ids)
            partition = files.written[int(one.path)][1]
            files.write(FEEDBACK, self.tasks.rows(one).filter(stays), partition)
        self.held = [self.tasks.written(n) for n in range(first, len(files.written))] + list(new)

    def counts(self, *files: Sequence[Mapping[str, Any]], **more: Any) -> dict[tuple[str, str | None], int]:
        return {(row["outcome"], row["reason"]): row["rows"] for row in self.resolve(*files, **more).counts}

    def frame(self) -> pl.DataFrame:
        shards = self.tasks.shards("feedback", self.held)
        frames = [self.tasks.files.read([file]) for shard in shards for file in shard.files]
        return pl.concat([frame.select(FEEDBACK.columns) for frame in frames]).sort("feedback_id")

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        return self.frame().select(columns or COLUMNS).rows()


def _row(source: int, order: int, row: Mapping[str, Any]) -> dict[str, Any]:
    time = row.get("feedback_time", T0)
    said = {"feedback_id": "a", "user_id": 1, "channel": "nps", "text": "hello", "masked": 0} | dict(row)
    place = {"source": source, "source_order": order}
    return said | {"feedback_time": time, "feedback_month": time.date().replace(day=1)} | place


def test_new_texts_lie_in_their_months_and_buckets() -> None:
    lake = MemoryTexts(buckets=4)
    late = {"feedback_id": "b", "user_id": 2, "feedback_time": datetime(2022, 11, 30, 23, 59, 59, tzinfo=UTC)}
    assert lake.counts([{}, late]) == {("kept", None): 2}
    assert lake.rows() == [
        ("a", 1, "hello", None, date(2023, 1, 1), 1),
        ("b", 2, "hello", None, date(2022, 11, 1), 3),
    ]
    later = {"feedback_id": "c", "user_id": 2, "feedback_time": datetime(2022, 11, 1, tzinfo=UTC)}
    assert lake.counts([later]) == {("kept", None): 1}
    assert [row[-2] for row in lake.rows()] == [date(2023, 1, 1), date(2022, 11, 1), date(2022, 11, 1)]


def test_of_one_identifier_the_row_delivered_last_counts() -> None:
    lake = MemoryTexts()
    first = [{"text": "one"}, {"text": "two"}, {"feedback_id": "b"}]
    assert lake.counts(first, [{"text": "three"}]) == {("kept", None): 2, ("duplicate", "older_row"): 2}
    assert lake.rows("feedback_id", "text") == [("a", "three"), ("b", "hello")]
    assert lake.counts([{"text": "three"}]) == {("duplicate", "same_row"): 1}
    assert lake.counts([{"text": "three", "queue": "payment", "spam": False}]) == {("kept", None): 1}
    assert lake.rows("feedback_id", "text", "queue", "spam") == [
        ("a", "three", "payment", False),
        ("b", "hello", None, None),
    ]


def test_a_text_that_moves_to_another_month_is_in_one_month_only() -> None:
    lake = MemoryTexts()
    lake.resolve([{}, {"feedback_id": "b"}])
    moved = {"feedback_time": datetime(2023, 3, 5, tzinfo=UTC), "user_id": 3}
    assert lake.counts([moved]) == {("kept", None): 1}
    assert lake.rows("feedback_id", "user_id", "feedback_month") == [
        ("a", 3, date(2023, 3, 1)),
        ("b", 1, date(2023, 1, 1)),
    ]


def test_what_comes_back_from_quarantine_is_older_than_what_is_held() -> None:
    lake = MemoryTexts()
    lake.resolve([{"text": "held"}])
    back = [{"text": None, "score": 3}, {"feedback_id": "b", "text": None, "score": 4}]
    assert lake.counts(back, replay=True) == {("kept", None): 1, ("duplicate", "older_row"): 1}
    assert lake.rows("feedback_id", "text", "score") == [("a", "held", None), ("b", None, 4)]


def test_a_text_over_its_retention_is_taken_in_without_its_text_and_again_is_nothing() -> None:
    lake = MemoryTexts(texts_from=datetime(2023, 1, 1, tzinfo=UTC))
    rows = [
        {"score": 3, "feedback_time": datetime(2022, 12, 31, 23, 59, 59, tzinfo=UTC)},
        {"feedback_id": "b"},
    ]
    lake.resolve(rows)
    assert lake.rows("feedback_id", "text", "score") == [("a", None, 3), ("b", "hello", None)]
    assert lake.counts(rows) == {("duplicate", "same_row"): 2}


def test_texts_from_before_the_retention_are_deleted_and_all_else_stays() -> None:
    lake = MemoryTexts()
    times = [datetime(2022, 12, day, tzinfo=UTC) for day in (1, 15, 31)]
    lake.resolve([{"feedback_id": f"f{n}", "feedback_time": time} for n, time in enumerate(times)])
    before = lake.frame()
    (shard,) = lake.tasks.shards("feedback", lake.held)
    work = DeleteTexts(times[1])
    done = lake.tasks.run([shard], work, weight=lambda _: 1, named=lambda one: one.table)
    assert done.results == ({"month": "2022-12-01", "bucket": 0},)
    lake.held = list(done.written)
    assert lake.rows("feedback_id", "text") == [("f0", None), ("f1", "hello"), ("f2", "hello")]
    assert lake.frame().drop("text").equals(before.drop("text"))
    (shard,) = lake.tasks.shards("feedback", lake.held)
    again = lake.tasks.run([shard], work, weight=lambda _: 1, named=lambda one: one.table)
    assert (again.results, again.written) == ((), ())


def test_a_score_without_words_is_like_any_row_and_nothing_is_deleted_of_it() -> None:
    lake = MemoryTexts()
    score = {"text": None, "score": 9}
    assert lake.counts([score, {"feedback_id": "b", "score": 3}]) == {("kept", None): 2}
    assert lake.counts([score]) == {("duplicate", "same_row"): 1}
    assert lake.counts([{"score": 9}]) == {("kept", None): 1}, "its words came later"
    assert lake.rows("feedback_id", "text", "score") == [("a", "hello", 9), ("b", "hello", 3)]
    lone = MemoryTexts()
    lone.resolve([score])
    shards = lone.tasks.shards("feedback", lone.held)
    late = DeleteTexts(datetime(2024, 1, 1, tzinfo=UTC))
    done = lone.tasks.run(shards, late, weight=lambda _: 1, named=lambda one: one.table)
    assert (done.results, done.written) == ((), ())


def test_texts_that_came_before_events_go_into_their_buckets() -> None:
    one, four = MemoryTexts(), MemoryTexts(buckets=4)
    rows = [{"feedback_id": f"f{n}", "user_id": n} for n in range(9)]
    one.resolve(rows)
    four.resolve(rows)
    files = [file for shard in one.tasks.shards("feedback", one.held) for file in shard.files]
    done = one.tasks.run(files, PlaceTexts(4), weight=lambda _: 1, named=lambda file: file.path)
    one.upsert(done.written)
    assert one.frame().equals(four.frame())


def test_months_before() -> None:
    moment = datetime(2024, 3, 31, 12, tzinfo=UTC)
    assert months_before(moment, 1) == datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert months_before(moment, 24) == datetime(2022, 3, 31, 12, tzinfo=UTC)


_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "feedback_id": st.sampled_from("abcd"),
            "text": st.sampled_from(("x", "y", None)),
            "feedback_time": st.sampled_from((T0, datetime(2023, 2, 1, tzinfo=UTC))),
            "user_id": st.integers(1, 3),
        }
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.thorough
@settings(max_examples=40)
@given(st.lists(_ROWS, min_size=1, max_size=4))
def test_whatever_comes_in_whichever_batches_the_last_row_of_each_stays(
    batches: list[list[dict[str, Any]]],
) -> None:
    """Beside a dictionary; and every row has one fate."""
    lake, wanted = MemoryTexts(buckets=2), {}
    for rows in batches:
        assert sum(lake.counts(rows).values()) == len(rows)
        wanted |= {row["feedback_id"]: row for row in rows}
    assert lake.rows("feedback_id", "text", "feedback_time", "user_id") == [
        tuple(wanted[name][column] for column in ("feedback_id", "text", "feedback_time", "user_id"))
        for name in sorted(wanted)
    ]
    assert lake.counts(list(wanted.values())) == {("duplicate", "same_row"): len(wanted)}

"""The scores that uplift is compared with are a ranking only if they are of one label."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from pozytywka_spark.experiments.uplift.fold_work import with_bins
from pozytywka_spark.experiments.uplift.rows_work import ROWS, EntryMonth, JoinUsers, RowFacts, facts_told
from pozytywka_spark.lake.shards import DataFile
from tests.in_memory import MemoryTasks

MAY, JUNE = date(2023, 5, 1), date(2023, 6, 1)
_US = pl.Datetime("us", "UTC")
Labels = tuple[str | None, str | None]


def predictions(tasks: MemoryTasks, month: date, rows: list[tuple[float, int, str | None]]) -> list[DataFile]:
    """User 1's margins of May or user 2's of June, a file a model version."""
    user = 1 if month == MAY else 2
    schema = {"user_id": pl.Int64, "margin": pl.Float64, "label": pl.String}
    return [
        tasks.files.put_file(
            pl.DataFrame([(user, margin, label)], schema, orient="row"),
            {"month": month, "model_version": version},
        )
        for margin, version, label in rows
    ]


def joined(labels: Labels, *, labelled: bool = True, scored: bool = True) -> tuple[list[object], RowFacts]:
    """Scores of users 1 and 2, who entered after May and after June, and what is told of them."""
    tasks = MemoryTasks()
    assigned = tasks.files.put_file(
        pl.DataFrame(
            [(user, "a", 7, 1, datetime(2023, month, 1, tzinfo=UTC)) for user, month in ((1, 6), (2, 7))],
            {"user_id": pl.Int64, "group": pl.String, "bucket": pl.Int32, "revision": pl.Int32,
             "assigned_at": _US},
            orient="row",
        ),
        {"experiment": "x"},
    )  # fmt: skip
    scores = {
        MAY: predictions(tasks, MAY, [(0.6, 2, labels[0]), (0.5, 1, "of_7")]),
        JUNE: predictions(tasks, JUNE, [(0.7, 3, labels[1])]) if scored else [],
    }
    items = [
        EntryMonth(
            month,
            (tasks.files.put_file(pl.DataFrame({"user_id": [user, 9], "f": [None, 1.5]}), {"month": month}),),
            tuple(scores[month]),
        )
        for month, user in ((MAY, 1), (JUNE, 2))
    ]
    work = JoinUsers("a", ("f",), "s", 30, date(2023, 12, 1), (assigned,), (), labelled)
    done = tasks.run(items, work, weight=lambda _: 1, named=lambda item: str(item.month))
    rows = tasks.fetch(done.of(ROWS)).sort("user_id")
    assert rows["user_id"].to_list() == [1, 2]
    return rows["score"].to_list(), facts_told(done.results, ["f"])


@pytest.mark.parametrize(
    ("labels", "scored"),
    [(("of_30", "of_30"), True), ((None, "of_30"), True), (("of_60", "of_30"), False), ((None, None), True)],
)
def test_margins_for_different_labels_are_no_ranking(labels: Labels, scored: bool) -> None:
    scores, facts = joined(labels)
    assert scores == [0.6, 0.7]
    assert facts.scored == scored
    assert facts.users == 2
    if labels == (None, None):  # as an older release wrote it
        older = joined(labels, labelled=False)
        assert (older[0], older[1].scored) == ([0.6, 0.7], True)


def test_a_user_without_a_score_leaves_none_to_all() -> None:
    scores, facts = joined(("of_30", "of_30"), scored=False)
    assert scores == [0.6, None]
    assert not facts.scored
    # what the rows come to doesn't hang on scores that aren't used
    assert facts.content == joined(("of_60", "of_30"))[1].content
    assert facts.content != joined(("of_30", "of_30"))[1].content


def test_twentieths_go_by_rank_and_without_scores_by_user() -> None:
    users = list(range(40, 0, -1))
    rows = pl.DataFrame(
        {"user_id": users, "uplift": [user % 4 / 10 for user in users], "score": [None] * 40},
        schema_overrides={"score": pl.Float64},
    )
    found = with_bins(rows).sort("user_id")
    best_first = sorted(users, key=lambda user: (-(user % 4), user))
    assert found["uplift_bin"].to_list() == [best_first.index(user) // 2 for user in range(1, 41)]
    assert found["score_bin"].to_list() == [(user - 1) // 2 for user in range(1, 41)]

"""Labels counted and models measured by parts: against the same from all rows at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from pozytywka_spark.config import load_settings
from pozytywka_spark.feedback.count_work import TEXTS_WITH, CountLabels, CountNgrams
from pozytywka_spark.feedback.labels import DETRACTOR, HAM, LEARNT, PROMOTER, QUEUE, SENTIMENT, SPAM, label_of
from pozytywka_spark.feedback.labels_there import add_up, plan
from pozytywka_spark.feedback.measure_work import Measure
from pozytywka_spark.feedback.measures import sum_up
from pozytywka_spark.feedback.model import put
from pozytywka_spark.feedback.ngrams import rows_of
from pozytywka_spark.feedback.train import NEW, OLD, better
from pozytywka_spark.lake.shards import Shard
from tests.feedback import made, small_model
from tests.in_memory import MemoryTasks

WEIGH = {"weight": lambda item: 1, "named": lambda item: "a shard"}


def shards(tasks: MemoryTasks, rows: pl.DataFrame) -> list[Shard]:
    found = []
    for (month, bucket), some in rows.group_by("feedback_month", "user_bucket", maintain_order=True):
        partition = {"feedback_month": month, "user_bucket": bucket}
        files = tuple(tasks.files.put_file(part, partition) for part in some.iter_slices(40))
        found.append(Shard("feedback", partition, files))
    return found


def test_labels_follow_the_bounds_of_the_net_promoter_score_and_spam_has_none() -> None:
    rows = pl.DataFrame(
        {
            "score": [0, 6, 7, 8, 9, 10, None, 10],
            "queue": ["a", None, "b", None, None, None, "c", "a"],
            "spam": [False, None, None, None, False, None, None, True],
        }
    )
    assert rows.select(label_of(SENTIMENT)).to_series().to_list() == [
        DETRACTOR, DETRACTOR, None, None, PROMOTER, PROMOTER, None, None,
    ]  # fmt: skip
    assert rows.select(label_of(QUEUE)).to_series().to_list() == ["a", None, "b", None, None, None, "c", None]
    assert rows.select(label_of(SPAM)).to_series().to_list() == [
        "no spam", None, None, None, "no spam", None, None, "spam",
    ]  # fmt: skip


@pytest.mark.thorough
def test_labels_are_counted_and_named_whatever_the_order_and_the_files() -> None:
    rows = made.texts(300)
    tasks = MemoryTasks()
    labels = add_up(tasks.run(shards(tasks, rows), CountLabels(), **WEIGH).results)
    turned = add_up(tasks.run(shards(tasks, rows.reverse()), CountLabels(), **WEIGH).results)
    assert labels == turned
    for task in LEARNT:
        wanted = rows.select(label_of(task)).to_series().drop_nulls().to_list()
        assert labels.of(task) == Counter(wanted)
    other = rows.with_columns(queue=pl.col("queue").replace({"payment": "adverts"}))
    assert add_up(tasks.run(shards(tasks, other), CountLabels(), **WEIGH).results).digest != labels.digest
    scores = rows.with_columns(pl.lit(None, pl.String).alias("text"), score=pl.lit(10, pl.Int32))
    with_scores = pl.concat([rows, scores.cast(rows.schema)])
    assert add_up(tasks.run(shards(tasks, with_scores), CountLabels(), **WEIGH).results) == labels
    without = rows.with_columns(text=pl.lit(None, pl.String))
    assert add_up(tasks.run(shards(tasks, without), CountLabels(), **WEIGH).results).of(QUEUE).total() == 0


def test_texts_with_each_ngram_are_counted() -> None:
    rows, tasks = made.texts(100, labels=1.0), MemoryTasks()
    done = tasks.run(shards(tasks, rows), CountNgrams(), **WEIGH)
    assert sum(line["texts"] for line in done.results) == 100
    found = tasks.fetch(done.of(TEXTS_WITH)).group_by("column").agg(pl.col("texts").sum()).sort("column")
    columns, counts = np.unique(rows_of(rows["text"], small_model.ALIKE).indices, return_counts=True)
    assert found.get_column("column").to_list() == columns.tolist()
    assert found.get_column("texts").to_list() == counts.tolist()


@pytest.mark.thorough
def test_a_model_is_measured_by_parts_as_it_is_as_a_whole() -> None:
    drawn = np.random.default_rng(3)
    words = ["adverts", "refund", "great", "awful", "prize", "song", "list"]
    many = 200
    rows = pl.DataFrame(
        {
            "text": [" ".join(drawn.choice(words, 3)) for _ in range(many)],
            "score": drawn.integers(0, 11, many).tolist(),
            "queue": drawn.choice(["adverts", "payment", "praise", "new"], many).tolist(),
            "spam": [None] * many,
            "feedback_month": [date(2024, 1 + number % 2, 1) for number in range(many)],
            "user_bucket": [0] * many,
        },
        schema_overrides={"spam": pl.Boolean},
    )
    tasks, model = MemoryTasks(), small_model.model()
    mild = dict(zip(words, (0.4, -0.7, 9.1, -8.3, 1.9, 3.7, -2.9), strict=True))
    feeling = small_model.linear((DETRACTOR, PROMOTER), {PROMOTER: mild})
    model = replace(model, learnt={**model.learnt, SENTIMENT: feeling})
    lines = tasks.run(shards(tasks, rows), Measure({NEW: put(tasks, model)}), **WEIGH).results
    vectors = rows_of(rows["text"], model.ngrams)

    queue = sum_up(lines, NEW, QUEUE)
    chances, truth = model.learnt[QUEUE].chances(vectors), rows["queue"].to_numpy()
    best = np.array(model.learnt[QUEUE].classes)[chances.argmax(axis=1)]
    known = truth != "new"
    assert queue is not None
    assert queue.texts == many
    assert queue.accuracy == pytest.approx(accuracy_score(truth, best))
    loss = log_loss(truth[known], np.maximum(chances[known], 1e-6), labels=list(model.learnt[QUEUE].classes))
    wanted = (loss * known.sum() - (~known).sum() * np.log(1e-6)) / many
    assert queue.loss == pytest.approx(wanted, rel=1e-3)
    assert sum(queue.pairs.values()) == many

    told = rows.filter((pl.col("score") <= 6) | (pl.col("score") >= 9))
    sentiment = sum_up(lines, NEW, SENTIMENT)
    scores = model.learnt[SENTIMENT].chances(rows_of(told["text"], model.ngrams))[:, 1]
    assert sentiment is not None
    assert sentiment.auc == pytest.approx(roc_auc_score(told["score"] >= 9, scores), abs=5e-3)
    assert sum_up(lines, NEW, SPAM) is None


def labels_by_month(months: int, each: int) -> pl.DataFrame:
    return made.texts(months * each, months=months, labels=1.0)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("months", "each", "learnt", "said"),
    [
        (6, 200, set(LEARNT), ""),
        (4, 300, set(), "labels of 4 months; 5 are needed"),
        (6, 60, set(), "feedback.min_labels asks for 200"),
    ],
)
def test_what_is_learnt_is_planned_by_the_labels_there_are(
    months: int, each: int, learnt: set[str], said: str
) -> None:
    tasks = MemoryTasks()
    counted = tasks.run(shards(tasks, labels_by_month(months, each)), CountLabels(), **WEIGH)
    planned = plan(load_settings("local", []), add_up(counted.results))
    assert set(planned.classes) == learnt
    assert said in planned.silent.get(QUEUE, "")
    assert set(planned.silent) == set(LEARNT) - learnt


@pytest.mark.thorough
def test_a_queue_of_few_texts_is_left_out_and_said() -> None:
    rows = labels_by_month(6, 200)
    rare = rows.with_columns(
        queue=pl.when(pl.col("feedback_id").str.ends_with("77")).then(pl.lit("rare")).otherwise("queue")
    )
    tasks = MemoryTasks()
    planned = plan(
        load_settings("local", []), add_up(tasks.run(shards(tasks, rare), CountLabels(), **WEIGH).results)
    )
    assert "rare" not in planned.classes[QUEUE]
    assert planned.left_out == {QUEUE: ("rare",)}


@pytest.mark.thorough
def test_a_model_serves_only_if_it_is_better_on_the_same_texts() -> None:
    good, tasks = small_model.model(), MemoryTasks()
    turned = {QUEUE: small_model.linear(("adverts", "payment", "praise"), {"adverts": {"refund": 60.0}})}
    bad = type(good)({**good.learnt, **turned}, good.ngrams)
    rows = pl.DataFrame(
        {
            "text": ["adverts", "refund"] * 30,
            "score": [1, 10] * 30,
            "queue": ["adverts", "payment"] * 30,
            "spam": [False, True] * 30,
            "feedback_month": [date(2024, 1, 1)] * 60,
            "user_bucket": [0] * 60,
        }
    )
    work = Measure({NEW: put(tasks, good), OLD: put(tasks, bad)})
    lines = tasks.run(shards(tasks, rows), work, **WEIGH).results
    tested = {(name, task): sum_up(lines, name, task) for name in (NEW, OLD) for task in LEARNT}
    sure = {key: one for key, one in tested.items() if one is not None}
    swapped = {(OLD if name == NEW else NEW, task): one for (name, task), one in sure.items()}
    assert better(good, None, sure)[0]
    assert better(good, bad, sure)[0]
    assert not better(bad, good, swapped)[0]
    assert not better(good, good, {**sure, **{(OLD, task): sure[NEW, task] for task in LEARNT}})[0]
    less = type(good)({QUEUE: good.learnt[QUEUE]}, good.ngrams)
    assert better(less, good, sure) == (False, "it has no answer to: sentiment, spam")
    assert better(good, less, sure) == (True, "it answers more")


@pytest.mark.thorough
def test_a_model_of_two_classes_is_as_sure_as_it_was_right() -> None:
    """A fifth of the texts it is quite sure of are of the other class, and of those it can't tell a tenth."""
    spam = [*[True] * 160, *[False] * 40, *[True] * 20, *[False] * 180]
    rows = pl.DataFrame(
        {
            "text": ["prize"] * 200 + ["refund"] * 200,
            "score": [None] * 400,
            "queue": [None] * 400,
            "spam": spam,
            "feedback_month": [date(2024, 1, 1)] * 400,
            "user_bucket": [0] * 400,
        },
        schema_overrides={"score": pl.Int32, "queue": pl.String},
    )
    tasks, good = MemoryTasks(), small_model.model()
    mild = small_model.linear((HAM, SPAM), {SPAM: {"prize": 9.0, "refund": -3.0}})
    model = replace(good, learnt={SPAM: mild})
    lines = tasks.run(shards(tasks, rows), Measure({NEW: put(tasks, model)}), **WEIGH).results
    measured = sum_up(lines, NEW, SPAM)
    assert measured is not None
    sober = measured.calibrated(model.learnt[SPAM])
    prize, refund = sober.chances(rows_of(pl.Series(["prize", "refund"]), model.ngrams))[:, 1]
    assert prize == pytest.approx(0.8, abs=0.01)
    assert refund == pytest.approx(0.1, abs=0.01)
    again = replace(model, learnt={**model.learnt, SPAM: sober})
    later = sum_up(
        tasks.run(shards(tasks, rows), Measure({NEW: put(tasks, again)}), **WEIGH).results, NEW, SPAM
    )
    assert later is not None
    assert later.loss < measured.loss
    assert later.calibrated(sober).offset == pytest.approx(sober.offset, abs=0.05)

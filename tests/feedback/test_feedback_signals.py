"""What a model says of texts, and when it says nothing; files of a model; a shard scored."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.feedback.labels import QUEUE, SENTIMENT, SPAM
from pozytywka_spark.feedback.model import Model, model_of, put, taken
from pozytywka_spark.feedback.ngrams import rows_of
from pozytywka_spark.feedback.score_work import SIGNALS, Score, Scored, signals_of
from pozytywka_spark.lake.shards import Shard
from tests.feedback import small_model
from tests.in_memory import MemoryTasks

AT = datetime(2024, 1, 5, tzinfo=UTC)
LANGUAGES = ("en", "pl", "pt")


def texts(*given: str | None) -> pl.DataFrame:
    rows = [(f"f{n}", AT, 7, "nps", text) for n, text in enumerate(given)]
    names = ["feedback_id", "feedback_time", "user_id", "channel", "text"]
    types = [pl.String, pl.Datetime("us", "UTC"), pl.Int64, pl.String, pl.String]
    return pl.DataFrame(rows, dict(zip(names, types, strict=True)), orient="row")


def said(found: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return found.select(columns).rows()


@pytest.mark.thorough
def test_sure_texts_are_routed_others_go_to_people_and_spam_to_nobody() -> None:
    given = texts("too many adverts, so often", "adverts refund", "my refund please", "adverts prize", "hm")
    found = signals_of(given, small_model.model(), LANGUAGES)
    assert found.columns == SIGNALS
    assert said(found, "queue_best", "queue", "topic", "spam") == [
        ("adverts", "adverts", "many, often", False),
        ("payment", None, None, False),
        ("payment", "payment", "refund", False),
        ("adverts", None, None, True),
        ("adverts", None, None, None),
    ]
    assert found.get_column("queue_confidence")[3] > 0.9  # sure enough, were it no spam
    assert found.get_column("model_id").unique().to_list() == ["m1"]
    assert found.get_column("queue_confidence").is_between(1 / 3, 1).all()


@pytest.mark.thorough
def test_sentiment_is_between_minus_one_and_one() -> None:
    found = signals_of(texts("great", "awful", "", "great awful"), small_model.model(), LANGUAGES)
    high, low, nothing, both = found.get_column("sentiment").to_list()
    assert high > 0.99
    assert low < -0.99
    assert nothing == 0
    assert abs(both) < 0.01


def test_where_validation_showed_nothing_nothing_is_said() -> None:
    found = signals_of(texts("adverts", "prize"), small_model.model(None, None, None), LANGUAGES)
    assert said(found, "queue_best", "queue", "spam") == [("adverts", None, None), ("adverts", None, None)]
    empty = Model({}, small_model.ALIKE, model_id="m0")
    assert said(signals_of(texts("adverts"), empty, LANGUAGES), *SIGNALS[4:]) == [
        ("en", None, None, None, None, None, None, None, "m0")
    ]


def test_languages_are_told_and_null_without_a_word() -> None:
    given = texts(
        "za dużo reklam między piosenkami", "there are too many songs", "não gosto disto", "🙂", "1 2"
    )
    found = signals_of(given, small_model.model(), LANGUAGES)
    assert found.get_column("language").to_list() == ["pl", "en", "pt", None, None]


def test_a_model_is_the_same_from_its_files_and_they_hold_no_pickle() -> None:
    model = small_model.model()
    again = model_of(model.files(), "m1")
    rows = rows_of(pl.Series(["adverts refund great prize"]), model.ngrams)
    for task in (QUEUE, SENTIMENT, SPAM):
        assert np.array_equal(model.learnt[task].chances(rows), again.learnt[task].chances(rows))
    assert (again.cuts(), again.topics, again.about, again.model_id) == (
        model.cuts(),
        model.topics,
        model.about,
        "m1",
    )
    assert {name.rsplit(".", 1)[1] for name in model.files()} == {"npy", "json"}
    tasks = MemoryTasks()
    assert taken(tasks.files, put(tasks, model)).topics == model.topics


def test_a_score_without_words_has_no_signals_nor_stay_those_of_a_row_elsewhere() -> None:
    tasks = MemoryTasks()
    partition = {"feedback_month": date(2024, 1, 1), "user_bucket": 0}
    work = Score(put(tasks, small_model.model()), LANGUAGES)
    weigh = {"weight": lambda item: 1, "named": lambda item: "a shard"}
    scores = Shard("feedback", partition, (tasks.files.put_file(texts(None, None), partition),))
    done = tasks.run([Scored(scores, ())], work, **weigh)
    assert (done.results, done.written) == (({"texts": 0, "queue": 0, "spam": 0, "stayed": 0},), ())

    both = Shard("feedback", partition, (tasks.files.put_file(texts(None, "my refund", None), partition),))
    elsewhere = signals_of(
        texts(*["x"] * 4).tail(1), small_model.model(), LANGUAGES
    )  # f3, in another month now
    done = tasks.run([Scored(both, (tasks.files.put_file(elsewhere, partition),))], work, **weigh)
    assert done.results == ({"texts": 1, "queue": 1, "spam": 0, "stayed": 0},)
    assert tasks.rows(done.written[0]).get_column("feedback_id").to_list() == ["f1"]


def test_signals_of_deleted_texts_stay_and_new_ones_are_made() -> None:
    tasks = MemoryTasks()
    partition = {"feedback_month": date(2024, 1, 1), "user_bucket": 0}
    work = Score(put(tasks, small_model.model()), LANGUAGES)
    weigh = {"weight": lambda item: 1, "named": lambda item: "a shard"}
    both = texts("too many adverts", "my refund")
    shard = Shard("feedback", partition, (tasks.files.put_file(both, partition),))
    first = tasks.run([Scored(shard, ())], work, **weigh)
    assert first.results == ({"texts": 2, "queue": 2, "spam": 0, "stayed": 0},)
    before = tasks.rows(first.written[0])

    later = pl.concat([texts(None, "awful refund"), texts("x", "y", "great refund").tail(1)])
    shard = Shard("feedback", partition, (tasks.files.put_file(later, partition),))
    old = tasks.files.put_file(before, partition)
    second = tasks.run([Scored(shard, (old,))], work, **weigh)
    assert second.results == ({"texts": 2, "queue": 2, "spam": 0, "stayed": 1},)
    after = tasks.rows(second.written[0])
    assert after.get_column("feedback_id").to_list() == ["f0", "f1", "f2"]
    assert after.filter(pl.col("feedback_id") == "f0").equals(before.filter(pl.col("feedback_id") == "f0"))
    assert after.get_column("queue").to_list() == ["adverts", "payment", "payment"]

"""Train: models of texts from the labels that came with earlier ones; kept only if better than the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError, require
from pozytywka_spark.feedback.bins import precision_bounds
from pozytywka_spark.feedback.champion import champion_version, connected, load
from pozytywka_spark.feedback.count_work import TEXTS_WITH, CountLabels, CountNgrams
from pozytywka_spark.feedback.labels import COLUMNS, QUEUE, SPAM
from pozytywka_spark.feedback.labels_there import Labels, Plan, add_up, plan
from pozytywka_spark.feedback.measure_work import Measure
from pozytywka_spark.feedback.measures import Measured, sum_up
from pozytywka_spark.feedback.model import FORMAT, Model, put
from pozytywka_spark.feedback.ngrams import COLUMNS as NGRAMS
from pozytywka_spark.feedback.ngrams import Weights, weights_of
from pozytywka_spark.feedback.stage import fit
from pozytywka_spark.feedback.topic_fit import fit_topics, telling_words
from pozytywka_spark.feedback.topics import Topic
from pozytywka_spark.feedback.word_work import GROUP, PAIRS, TEXTS, WORDS, CountPairs, CountWords
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import Shard
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.schemas import FEEDBACK
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.plain_models import PlainModel, register_files
from pozytywka_spark.tracking.registry import Version
from pozytywka_spark.tracking.store import Tracking

FEWEST_TEXTS_WITH = 3  # training texts with an n-gram that is learnt from
NEW, OLD = "new", "old"
DECIDED = "pozytywka.feedback.decided"  # of a version: why it serves, or does not


class TooFewLabelsError(DataError):
    """Nothing can be learnt from the labels that there are."""


@dataclass(frozen=True)
class TrainReport:
    """`version`: the one made of these labels (`unchanged`: it was there before); `champion` now, and `why`.
    `tested`: what was measured of the new model by task, on the test months; none if it is unchanged.
    """

    plan: Plan
    version: int
    champion: int
    why: str
    unchanged: bool
    model: Model
    tested: Mapping[str, Measured]


def train(spark: SparkSession, settings: Settings, lake: Lake) -> TrainReport:
    """Train on all months of labels but the last. Of those the earlier (validation) tell how sure a model may
    be, all together the cuts from which on texts are routed, the later (test) compare it with the old one.

    The same labels and settings train nothing anew; whoever was killed before the comparison compares again.
    Raises `DataError` where there is no text,
    `TooFewLabelsError` where nothing has labels enough; then the model that there is stays.
    """
    require("topics")
    if not lake.exists(FEEDBACK.name):
        raise DataError(
            f"table {FEEDBACK.name} is not in {lake.root}: deliver a file of feedback and ingest it"
        )
    tracking = connected(settings)
    with lake.tasks() as tasks:
        shards = lake.shards(FEEDBACK.name, tasks, columns=[*COLUMNS, "user_id", "feedback_month"])
        labels = add_up(_run(tasks, shards, CountLabels()).results)
        planned = plan(settings, labels)
        if not planned.classes or planned.split is None:
            said = "; ".join(f"{task}: {why}" for task, why in planned.silent.items())
            raise TooFewLabelsError(f"too few labels to learn from, and nothing is guessed: {said}")
        inputs = _inputs(settings, labels)
        before = champion_version(tracking)
        version = registry.find_version(tracking, inputs)
        if version is not None and before is not None and _is_decided(tracking, version, before):
            why = "these labels were learnt from before"
            return TrainReport(planned, version.number, before.number, why, True, load(tracking, version), {})
        if version is None:
            model = _made(spark, settings, lake, tasks, shards, planned)
        else:  # a run was killed before it decided
            model = load(tracking, version)
        old = None if before is None else load(tracking, before)
        tested = _tested(tasks, _of(shards, planned.split.test), model, old)
        if version is None:
            model = replace(model, about=_about(planned, tested))
            made = _registered(settings, lake, inputs, model, planned, tested)
            version = register_files(tracking, "feedback", made)
    serves, why = better(model, old, tested)
    if serves:
        registry.take_over(tracking, version.number, None if before is None else before.number)
    registry.set_tag(tracking, version.number, DECIDED, why)
    champion = version if serves or before is None else before
    mine = {task: one for (name, task), one in tested.items() if name == NEW}
    return TrainReport(planned, version.number, champion.number, why, False, model, mine)


def _is_decided(tracking: Tracking, version: Version, before: Version) -> bool:
    """Whether it was compared with the champion of its time; the champion that lacks the tag won."""
    if version.number == before.number and DECIDED not in version.tags:
        registry.set_tag(tracking, version.number, DECIDED, "it took over")
        return True
    return DECIDED in version.tags


def _made(
    spark: SparkSession, settings: Settings, lake: Lake, tasks: Tasks, shards: Sequence[Shard], planned: Plan
) -> Model:
    """The model; how sure it is is by the validation months, its cuts by all that it didn't learn from."""
    assert planned.split is not None
    of_train, of_validation = (_of(shards, side) for side in (planned.split.train, planned.split.validation))
    ngrams, texts = _ngrams(tasks, of_train)
    learnt = fit(spark, lake, planned.split.train, texts, planned.classes, ngrams)
    model = Model(learnt, ngrams)
    first = _measured(tasks, of_validation, {NEW: model})
    sobered = {task: first[NEW, task].calibrated(one) for task, one in model.learnt.items()}
    model = replace(
        model, learnt=sobered, topics=_topics(settings, tasks, of_train) if QUEUE in learnt else ()
    )
    later = _of(shards, (*planned.split.validation, *planned.split.test))
    second = _measured(tasks, later, {NEW: model})
    chosen = settings.feedback
    if QUEUE in learnt:
        model = replace(model, route=second[NEW, QUEUE].route(chosen.route_precision))
    if SPAM in learnt:
        of_spam = second[NEW, SPAM]
        spam, ham = of_spam.second_from(chosen.spam_precision), of_spam.first_from(chosen.spam_precision)
        model = replace(model, spam=spam, ham=ham)
    return model


def _ngrams(tasks: Tasks, shards: Sequence[Shard]) -> tuple[Weights, int]:
    """Weights of n-grams by how many training texts have them, and how many texts there are."""
    done = _run(tasks, shards, CountNgrams())
    counted = tasks.fetch(done.of(TEXTS_WITH)).group_by("column").agg(pl.col("texts").sum())
    texts_with = np.zeros(NGRAMS, dtype=np.int64)
    texts_with[counted.get_column("column").to_numpy()] = counted.get_column("texts").to_numpy()
    texts = sum(line["texts"] for line in done.results)
    return weights_of(texts_with, texts, FEWEST_TEXTS_WITH), texts


def _topics(settings: Settings, tasks: Tasks, shards: Sequence[Shard]) -> tuple[Topic, ...]:
    languages = settings.feedback.languages
    counted = _run(tasks, shards, CountWords(languages))
    if not counted.of(WORDS):
        return ()
    words = tasks.fetch(counted.of(WORDS)).group_by(*GROUP, "word").agg(pl.col("texts", "people").sum())
    texts = tasks.fetch(counted.of(TEXTS)).group_by(GROUP).agg(pl.col("texts").sum())
    telling = telling_words(words, texts)
    pairs = _run(tasks, shards, CountPairs(languages, tasks.put(WORDS, telling.select(*GROUP, "word")))).of(
        PAIRS
    )
    if not pairs:
        return ()
    both = tasks.fetch(pairs).group_by(*GROUP, "one", "other").agg(pl.col("texts").sum())
    return fit_topics(telling, both, texts)


def _tested(
    tasks: Tasks, shards: Sequence[Shard], model: Model, old: Model | None
) -> dict[tuple[str, str], Measured]:
    return _measured(tasks, shards, {NEW: model} if old is None else {NEW: model, OLD: old})


def _measured(
    tasks: Tasks, shards: Sequence[Shard], models: Mapping[str, Model]
) -> dict[tuple[str, str], Measured]:
    done = _run(tasks, shards, Measure({name: put(tasks, model) for name, model in models.items()}))
    found = {
        (name, task): sum_up(done.results, name, task)
        for name, model in models.items()
        for task in model.learnt
    }
    return {key: one for key, one in found.items() if one is not None}


def better(model: Model, old: Model | None, tested: Mapping[tuple[str, str], Measured]) -> tuple[bool, str]:
    """By the loss a text on the same test texts, summed over the tasks that both learnt; a model that answers
    more is better, one that answers less is not.
    """
    if old is None:
        return True, "the first model"
    if set(model.learnt) != set(old.learnt):
        lost = sorted(set(old.learnt) - set(model.learnt))
        return (False, f"it has no answer to: {', '.join(lost)}") if lost else (True, "it answers more")
    new_loss, old_loss = (sum(tested[name, task].loss for task in model.learnt) for name in (NEW, OLD))
    said = f"loss on the test months {new_loss:.4f}, the old one's {old_loss:.4f}"
    return new_loss < old_loss, said


def _of(shards: Sequence[Shard], months: Sequence[date]) -> list[Shard]:
    return [shard for shard in shards if shard.partition["feedback_month"] in months]


def _run(tasks: Tasks, shards: Sequence[Shard], work: Any) -> Done:
    return tasks.run(
        shards,
        work,
        weight=lambda shard: shard.size,
        named=lambda shard: (
            f"feedback of {shard.partition['feedback_month']}, bucket {shard.partition['user_bucket']}"
        ),
    )


def _inputs(settings: Settings, labels: Labels) -> str:
    sides = settings.split
    content = [
        FORMAT,
        labels.digest,
        deciding(settings, "feedback"),
        sides.validation_months,
        sides.test_months,
    ]
    return fingerprint_of(content)


def _about(planned: Plan, tested: Mapping[tuple[str, str], Measured]) -> dict[str, Any]:
    assert planned.split is not None
    return {
        "months": {side: [str(month) for month in months] for side, months in planned.split.sides.items()},
        "silent": dict(planned.silent),
        "left_out": {task: list(names) for task, names in planned.left_out.items()},
        "tested": {task: metrics_of(one) for (name, task), one in tested.items() if name == NEW},
    }


def metrics_of(measured: Measured) -> dict[str, float]:
    """Texts, loss, accuracy, and the AUC of two classes."""
    found = {"texts": float(measured.texts), "loss": measured.loss, "accuracy": measured.accuracy}
    return found if measured.auc is None else {**found, "auc": measured.auc}


def _registered(
    settings: Settings,
    lake: Lake,
    inputs: str,
    model: Model,
    planned: Plan,
    tested: Mapping[tuple[str, str], Measured],
) -> PlainModel:
    metrics = {
        f"{task}.{name}": value
        for (which, task), one in tested.items()
        if which == NEW
        for name, value in metrics_of(one).items()
    }
    for name, cut in model.cuts().items():
        if cut is not None:
            low, high = precision_bounds(cut.right, cut.texts)
            metrics |= {
                f"{name}.later_precision": cut.precision,
                f"{name}.precision_low": low,
                f"{name}.precision_high": high,
                f"{name}.later_texts": float(cut.texts),
            }
    return PlainModel(
        kind="feedback",
        inputs=inputs,
        files=model.files(),
        lake_root=lake.root,
        versions={FEEDBACK.name: lake.version(FEEDBACK.name)},
        params={
            **{f"{task}.classes": ", ".join(names) for task, names in planned.classes.items()},
            **{f"{task}.silent": why for task, why in planned.silent.items()},
            "route_precision": settings.feedback.route_precision,
            "spam_precision": settings.feedback.spam_precision,
        },
        metrics=metrics,
    )

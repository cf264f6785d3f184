"""Train: heads, light model and weights as of a day, registered as a version of the model; then the gate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError
from pozytywka_spark.feed.gate import AT, Decision, decide, judged
from pozytywka_spark.feed.heads.fit import How
from pozytywka_spark.feed.inputs import check_day, check_plays, lists_named, wanted_of
from pozytywka_spark.feed.model import (
    MEASURED,
    WEIGHTS,
    connected,
    weight_rows,
    weights_file,
    weights_of_file,
)
from pozytywka_spark.feed.prepare import Prepared, Sliced, listeners_until, prepare, slice_events
from pozytywka_spark.feed.prepare_work import LISTENERS, SliceRows
from pozytywka_spark.feed.stage import by_slice, check_recall
from pozytywka_spark.feed.survey_work import DEEDS, SURVEYS, FitWeights, GatherDeeds
from pozytywka_spark.feed.training_work import EXAMPLES, FILES, RECALL, FitRanker, GatherExamples
from pozytywka_spark.feed.weights import Weights
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import start_micros
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.plain_models import PlainModel, load_files, register_files

FORMAT = 1
READ = ("events", "tracks", "artists", "users", schemas.FEED_SURVEYS.name)


@dataclass(frozen=True)
class TrainReport:
    """The version and what was decided of it; `unchanged`: it had been trained on the same inputs before."""

    day: date
    version: int
    weights: Weights
    measured: Mapping[str, Any]
    decision: Decision
    unchanged: bool


def train(settings: Settings, lake: Lake, day: date) -> TrainReport:
    """Train on events before the day, of which the last `feed.horizon_days` are what is foretold, and once
    more as many days earlier.

    The same inputs train nothing anew. Raises `DataError` where nothing was played or no head has examples,
    `UsageError` for a day past the data's end, `GuardError` where the light model loses too much.
    """
    lists = lists_named(settings)
    cut_off = day - timedelta(days=settings.feed.horizon_days)
    check_day(settings, lake, day, days_before=settings.feed.horizon_days)
    tracking = connected(settings)
    with lake.tasks() as tasks:
        sliced = slice_events(lake, tasks, day)
        check_plays(sliced.plays, day)
        surveys = data_files(lake, tasks, schemas.FEED_SURVEYS.name)
        inputs = fingerprint_of(
            [
                FORMAT,
                day.isoformat(),
                sliced.content,
                deciding(settings, "feed"),
                lists.blocked,
                sorted(file.path for file in surveys),
            ]
        )
        there = registry.find_version(tracking, inputs)
        prepared = prepare(settings, tasks, sliced, cut_off)
        after = listeners_until(tasks, sliced, day).of(LISTENERS)
        if there is None:
            weights = _weights(settings, lake, tasks, sliced, after, day)
            earlier = prepare(settings, tasks, sliced, cut_off - timedelta(days=settings.feed.horizon_days))
            files = _fitted(settings, tasks, (prepared, earlier), after, weights, day)
            files[WEIGHTS] = weights_file(weights)
            version = register_files(tracking, f"feed {day}", _model(lake, day, inputs, files, weights))
        else:
            version, files = there, load_files(tracking, there.number)
        _record(lake, weights_of_file(files[WEIGHTS]), version.number)
        decision = decide(
            tracking,
            version,
            lambda champion: judged(
                settings, lake, tasks, sliced, prepared, after, (champion, version), only_held_out=True
            ),
        )
    measured = json.loads(files[MEASURED])
    return TrainReport(
        day, version.number, weights_of_file(files[WEIGHTS]), measured, decision, unchanged=there is not None
    )


def _weights(
    settings: Settings, lake: Lake, tasks: Tasks, sliced: Sliced, after: Sequence[Parcel], day: date
) -> Weights:
    """From the surveys asked before the day."""
    chosen = settings.feed
    surveys = data_files(lake, tasks, schemas.FEED_SURVEYS.name)
    rows = by_slice(tasks, surveys, SliceRows("surveys", SURVEYS, len(sliced.slices)))
    deeds: tuple[Parcel, ...] = ()
    if rows:
        gathered = tasks.run(
            after,
            GatherDeeds(sliced.catalogue, rows, start_micros(day)),
            weight=lambda parcel: parcel.size,
            named=lambda parcel: f"answers of slice {parcel.key[0]} of users",
        )
        deeds = tuple(gathered.of(DEEDS))
    fitted = tasks.run(
        [0],
        FitWeights(deeds, chosen.weights, chosen.min_answers, chosen.min_people),
        weight=lambda _: 1,
        named=lambda _: "the weights",
    )
    return weights_of_file(fitted.results[0]["weights"].encode())


def _fitted(
    settings: Settings,
    tasks: Tasks,
    prepared: Sequence[Prepared],
    after: Sequence[Parcel],
    weights: Weights,
    day: date,
) -> dict[str, bytes]:
    """The files of heads and light model."""
    chosen = settings.feed
    wanted = wanted_of(settings)
    # not the other way round: the fit orders them by slice, and of a slice as they come
    examples: list[Parcel] = []
    for one in prepared:
        gathered = tasks.run(
            after,
            GatherExamples(one.catalogue, one.tracks, wanted, chosen.horizon_days, start_micros(day)),
            weight=lambda parcel: 64 * parcel.size,
            named=lambda parcel: f"examples of slice {parcel.key[0]} of users",
        )
        examples += gathered.of(EXAMPLES)
    if not examples:
        raise DataError(
            f"nobody with plays before {day} has any in the days that are foretold: train on a later --at"
        )
    fitted = tasks.run(
        [0],
        FitRanker(tuple(examples), weights.values, chosen.light, How(chosen.rounds, threads=tasks.slots)),
        weight=lambda _: sum(parcel.size for parcel in examples),
        named=lambda _: "the heads",
        cpus=tasks.slots,
    )
    check_recall(fitted.results[0][RECALL], chosen.min_recall)
    rows = tasks.fetch(fitted.of(FILES))
    return dict(zip(rows.get_column("name").to_list(), rows.get_column("content").to_list(), strict=True))


def _model(lake: Lake, day: date, inputs: str, files: Mapping[str, bytes], weights: Weights) -> PlainModel:
    measured = json.loads(files[MEASURED])
    return PlainModel(
        kind="feed",
        inputs=inputs,
        files=files,
        lake_root=lake.root,
        versions={
            name: lake.version(name) for name in (*READ, schemas.FEED_SURVEYS.name) if lake.exists(name)
        },
        tags={AT: day.isoformat()},
        params={
            "at": day.isoformat(),
            "left_out": ", ".join(measured["left_out"]) or "none",
            "weights": weights.why,
        },
        metrics={
            **{f"weight.{one.head}": one.weight for one in weights.weights},
            "light_recall": next(iter(measured["recall"].values())),
            "pairs": float(measured["pairs"]),
        },
    )


def _record(lake: Lake, weights: Weights, version: int) -> None:
    """The version's rows of `feed_weights`: written again after a kill, once otherwise."""
    table = schemas.FEED_WEIGHTS
    there = lake.rows(table.name, ["model_version"]).column(0).to_pylist() if lake.exists(table.name) else []
    if str(version) not in there:
        lake.upsert(as_table(weight_rows(weights, str(version)), table), table)

"""Score: signals of texts that are new, or of all where the model is another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError, require
from pozytywka_spark.feedback.champion import champion
from pozytywka_spark.feedback.language import unknown_languages
from pozytywka_spark.feedback.model import put
from pozytywka_spark.feedback.score_work import READ, SIGNALS, Score, Scored
from pozytywka_spark.hashing.fingerprints import SHORT, fingerprint_of
from pozytywka_spark.lake.api import Lake, Partition, Txn
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import FEEDBACK, FEEDBACK_SIGNALS

_WEIGHT = 40  # a byte of text takes so many times as long as one of other work


@dataclass(frozen=True)
class ScoreReport:
    """`shards`: how many months and buckets were scored, of them `texts`, with a `queue`, `spam`; `stayed`:
    signals kept of texts that are deleted; `unchanged`: nothing was new.
    """

    model_id: str
    shards: int
    texts: int
    queue: int
    spam: int
    stayed: int
    unchanged: bool = False


def score(settings: Settings, lake: Lake) -> ScoreReport:
    """Bring `feedback_signals` up to date with `feedback` and the champion, in one commit.

    Months and buckets in which a text is new or masked anew are scored whole, all of them by a model that is
    new. The version of `feedback` that was scored is part of the commit, so that the same again does nothing.
    Raises `DataError` without texts, `TrackingError` without a model.
    """
    require("topics")
    if not lake.exists(FEEDBACK.name):
        raise DataError(
            f"table {FEEDBACK.name} is not in {lake.root}: deliver a file of feedback and ingest it"
        )
    languages = settings.feedback.languages
    if unknown := unknown_languages(languages):
        raise UsageError(
            f"feedback.languages: {', '.join(unknown)}: no language that can be told; expected: en, pl …"
        )
    model = champion(settings)
    version = lake.version(FEEDBACK.name)
    app = f"feedback {fingerprint_of([lake.identity(FEEDBACK.name), model.model_id, languages], SHORT)}"
    with lake.tasks() as tasks:
        items = _stale(lake, tasks, app, version)
        if not items:
            return ScoreReport(model.model_id, 0, 0, 0, 0, 0, unchanged=True)
        done = tasks.run(
            items,
            Score(put(tasks, model), languages),
            weight=lambda item: _WEIGHT * item.texts.size,
            named=lambda item: f"feedback of {item.texts.partition['feedback_month']}",
        )
        partitions = [dict(item.texts.partition) for item in items]
        lake.replace_partitions(done.written, FEEDBACK_SIGNALS, partitions, txn=Txn(app, version))
    told = {name: sum(line[name] for line in done.results) for name in ("texts", "queue", "spam", "stayed")}
    return ScoreReport(model.model_id, len(items), **told)


def _stale(lake: Lake, tasks: Tasks, app: str, version: int) -> list[Scored]:
    """What has to be scored."""
    there = lake.exists(FEEDBACK_SIGNALS.name)
    since = lake.txn_version(FEEDBACK_SIGNALS.name, app) if there else None
    if since == version:
        return []
    changed: list[Partition] | None = None
    if since is not None:
        changes = lake.changes(FEEDBACK.name, since, tasks, READ)
        if changes.none:
            return []
        if not changes.gone:
            changed = _each_once([file.partition for file in changes.files])
    shards = lake.shards(FEEDBACK.name, tasks, changed, READ)
    before: dict[str, tuple[DataFile, ...]] = {}
    if there:
        for shard in lake.shards(FEEDBACK_SIGNALS.name, tasks, changed, SIGNALS):
            before[_key(shard.partition)] = shard.files
    return [Scored(shard, before.get(_key(shard.partition), ())) for shard in shards]


def _each_once(partitions: Sequence[Mapping[str, Any]]) -> list[Partition]:
    return list({_key(one): dict(one) for one in partitions}.values())


def _key(partition: Mapping[str, Any]) -> str:
    return f"{partition['feedback_month']} {partition['user_bucket']}"

"""A group too big for one task, built: parts, roles, trees across executors, scores, proof.

What one task holds of the whole group are its cases' names, accounts, scores and verdicts: some 150 bytes a
case, of `factory.max_cases` at most. Rows of features are in parts, and in the workers' memory together.
"""

from __future__ import annotations

from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.factory.across.parts import FACTS, FEATURES, Prepare
from pozytywka_spark.factory.across.roles import ROLES, WORDS, FindWords, GiveRoles, Part, Rows
from pozytywka_spark.factory.across.scores import SCORES, ProveGroup, ScoreParts, models_frame
from pozytywka_spark.factory.across.spread import parts_for, spread
from pozytywka_spark.factory.across.trees import grow
from pozytywka_spark.factory.build_work import Kept, told_of
from pozytywka_spark.factory.group import discarded
from pozytywka_spark.factory.inputs import Group
from pozytywka_spark.lake.shards import Parcel, Written
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.spark.resources import Plan, describe_cluster, plan


def build_across(
    settings: Settings, tasks: Tasks, group: Group, kept: Kept
) -> tuple[dict[str, Any], tuple[Written, ...]]:
    """What `build_work.BuildGroups` tells and writes of a group; one of too many cases is discarded.

    Raises `UsageError` for more workers than there are places for.
    """
    most = settings.factory.max_cases
    if group.cases > most:
        reason = f"{group.cases:,} cases: one task holds scores and verdicts of {most:,} (factory.max_cases)"
        return told_of(group.name, discarded(reason, kept.names)), ()
    chosen = plan(
        group.cases,
        len(kept.names),
        describe_cluster(tasks.spark),
        settings.training.num_workers,
        in_memory=False,
    )
    parts, features, texts = _prepared(settings, tasks, group, kept, chosen)
    named = f"group {group.name}"
    facts = tuple(part.facts for part in parts)
    size = sum(parcel.size for parcel in facts)
    given = tasks.run([facts], GiveRoles(kept.how), weight=lambda _: size, named=lambda _: named)
    trouble = given.results[0]["trouble"]
    if trouble is not None:
        return told_of(group.name, discarded(trouble, features)), ()
    roles = {parcel.key: parcel for parcel in given.of(ROLES)}
    parts = tuple(Part(part.facts, part.features, roles[part.facts.key]) for part in parts)
    words = _words(tasks, parts, texts, named)
    rows = Rows(parts, features, texts, words)
    how = kept.how
    grown = grow(tasks, rows, chosen, rounds=how.max_rounds, seed=how.seed, trials=how.trials)
    models = tasks.put("models", models_frame(dict(grown.models)))
    scored = tasks.run(parts, ScoreParts(rows, models), weight=lambda part: part.size, named=lambda _: named)
    scores = {parcel.key: parcel for parcel in scored.of(SCORES)}
    whole = (group.name, parts, tuple(scores[part.facts.key] for part in parts))
    proven = tasks.run([whole], ProveGroup(kept, rows, models), weight=lambda _: size, named=lambda _: named)
    told = dict(proven.results[0])
    return {**told, "facts": {**told["facts"], "workers": float(chosen.workers)}}, proven.written


def _prepared(
    settings: Settings, tasks: Tasks, group: Group, kept: Kept, chosen: Plan
) -> tuple[tuple[Part, ...], tuple[str, ...], tuple[str, ...]]:
    """Parts (their roles are still their facts), features and those of them that are words."""
    count = max(chosen.workers, parts_for(group, kept.names, settings.factory.max_cells))
    there = spread(tasks, group, count)
    done = tasks.run(
        list(enumerate(there.parts)),
        Prepare(kept.names, there.rings),
        weight=lambda one: one[1].size,
        named=lambda _: f"group {group.name}",
    )
    features = {parcel.key: parcel for parcel in done.of(FEATURES)}
    parts = tuple(
        Part(parcel, features[parcel.key], parcel)
        for parcel in sorted(done.of(FACTS), key=lambda parcel: parcel.key)
    )
    texts = sorted({name for line in done.results for name in line["texts"]})
    return parts, tuple(done.results[0]["features"]), tuple(texts)


def _words(tasks: Tasks, parts: tuple[Part, ...], texts: tuple[str, ...], named: str) -> tuple[Parcel, ...]:
    if not texts:
        return ()
    found = tasks.run(parts, FindWords(texts), weight=lambda part: part.size, named=lambda _: named)
    return tuple(sorted(found.of(WORDS), key=lambda parcel: parcel.place))

"""A training as the gate left it: its dossier, names, tags and descriptions, from its logged facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pozytywka_spark.dossier import summary
from pozytywka_spark.dossier.page import dossier
from pozytywka_spark.tracking import notes, registry, runs
from pozytywka_spark.tracking.store import Tracking

FACTS, PAGE, OUTCOME = "dossier.json", "dossier.html", "gate.json"


def publish(tracking: Tracking, training_run: str, outcome: Mapping[str, Any]) -> None:
    """Write the gate's `outcome` into the run, its dossier and all descriptions.

    `outcome`: verdict in words, promoted, challenger, champion (version numbers), reasons, changes, table.
    A run without facts (not ours) is left alone.
    """
    if runs.has_artefact(tracking, training_run, FACTS):
        content = runs.read_json(tracking, training_run, FACTS)
        runs.log_json(tracking, training_run, dict(outcome), OUTCOME)
        runs.log_text(tracking, training_run, dossier(content, outcome), PAGE)
    describe_versions(tracking, training_run)


def publish_if_missing(tracking: Tracking, training_run: str) -> None:
    """Write what a run lacks that was killed between its training and the end of its gate."""
    if runs.has_artefact(tracking, training_run, FACTS) and not runs.has_artefact(
        tracking, training_run, PAGE
    ):
        content = runs.read_json(tracking, training_run, FACTS)
        runs.log_text(tracking, training_run, dossier(content, _outcome(tracking, training_run)), PAGE)
    describe_versions(tracking, training_run)


def describe_versions(tracking: Tracking, training_run: str) -> None:
    """Describe a run and its version, the one it took over from, the champion and the model as they stand."""
    version = registry.version_of(tracking, training_run)
    if version is None:
        return
    champion = registry.aliased(tracking, registry.CHAMPION)
    before = version.tags.get(registry.PREVIOUS)
    versions = {version.number: version}
    if before:
        versions[int(before)] = registry.numbered(tracking, int(before))
    if champion is not None:
        versions[champion.number] = champion
    for entry in versions.values():
        _tell(tracking, entry, champion.number if champion else None)


def _tell(tracking: Tracking, version: registry.Version, champion: int | None) -> None:
    run = runs.find(tracking, version.training_run)
    if run is None or not runs.has_artefact(tracking, version.training_run, FACTS):
        return
    facts = runs.read_json(tracking, version.training_run, FACTS)
    standing = summary.Standing(version.number, champion, _outcome(tracking, version.training_run))
    tags = summary.tags_of(facts, standing)
    link = notes.page_of(run.info.experiment_id, version.training_run, PAGE, "The dossier")
    notes.describe_run(
        tracking,
        version.training_run,
        summary.name_of(facts, version.number),
        tags | {"version": str(version.number)},
        summary.of_run(facts, standing, link),
    )
    notes.describe_version(tracking, version.number, tags, summary.of_version(facts, standing, link))
    if champion in (None, version.number):
        about = {key: tags[key] for key in ("label", "horizon_days")}
        notes.describe_model(tracking, about, summary.of_model(facts))


def _outcome(tracking: Tracking, training_run: str) -> Mapping[str, Any] | None:
    if not runs.has_artefact(tracking, training_run, OUTCOME):
        return None
    return dict(runs.read_json(tracking, training_run, OUTCOME))

"""The dossier as the gate left it: the page of a training run, made again from its logged facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pozytywka_spark.training.dossier import dossier
from pozytywka_spark.training.tracking import runs
from pozytywka_spark.training.tracking.store import Tracking

FACTS, PAGE, OUTCOME = "dossier.json", "dossier.html", "gate.json"


def publish(tracking: Tracking, training_run: str, outcome: Mapping[str, Any]) -> None:
    """Write the gate's `outcome` into the run and its dossier. A run without facts (not ours) is left alone.

    `outcome`: verdict in words, promoted, challenger, champion (version numbers), reasons, changes, table.
    """
    if not runs.has_artefact(tracking, training_run, FACTS):
        return
    content = runs.read_json(tracking, training_run, FACTS)
    runs.log_json(tracking, training_run, dict(outcome), OUTCOME)
    runs.log_text(tracking, training_run, dossier(content, outcome), PAGE)


def publish_if_missing(tracking: Tracking, training_run: str) -> None:
    """Write the dossier of a run that was killed between its training and its gate."""
    if runs.has_artefact(tracking, training_run, PAGE) or not runs.has_artefact(
        tracking, training_run, FACTS
    ):
        return
    known = runs.has_artefact(tracking, training_run, OUTCOME)
    outcome = runs.read_json(tracking, training_run, OUTCOME) if known else None
    content = runs.read_json(tracking, training_run, FACTS)
    runs.log_text(tracking, training_run, dossier(content, outcome), PAGE)

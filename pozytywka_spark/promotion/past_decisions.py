"""Decisions of the gate that stand: who was kept out by whom, and on what that was decided."""

from __future__ import annotations

from dataclasses import dataclass

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.dataset.provenance import code_hash
from pozytywka_spark.dossier.publish import FACTS, OUTCOME
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.promotion.gate import Decision
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import Tracking

KEPT = "pozytywka.gate.kept"  # the champion that this version lost to, or had to give the place back to
DECIDED = "pozytywka.gate.decided"  # on what: `inputs_of`, or by hand
ON_VERSIONS = "pozytywka.gate.decided_on_versions"  # the same, the rows by their tables' versions
BY_HAND = "by hand"


@dataclass(frozen=True)
class Inputs:
    """On what a decision was taken, as `inputs_of` names it: by the rows, and by their tables' versions."""

    rows: str
    versions: str | None = None


def inputs_of(champion: registry.Version, challenger: registry.Version, settings: Settings, rows: str) -> str:
    """Names everything that decides between the two: settings, code, and the rows that `rows` names."""
    inputs = [champion.number, challenger.number, rows, deciding(settings, "gate"), code_hash()]
    return fingerprint_of(inputs)


def keep(tracking: Tracking, version: int, champion: int, inputs: Inputs) -> None:
    """Note on a version that it was kept out by `champion`; the inputs first, for they say what it means."""
    if inputs.versions:
        registry.set_tag(tracking, version, ON_VERSIONS, inputs.versions)
    registry.set_tag(tracking, version, DECIDED, inputs.rows)
    registry.set_tag(tracking, version, KEPT, str(champion))


def standing(
    tracking: Tracking, champion: registry.Version, challenger: registry.Version, inputs: str
) -> Decision | None:
    """The decision that was taken against the challenger and still stands; None if it has to be weighed.

    A note of an older release doesn't say on what it was decided, and stands: it may be a rollback.
    """
    on = challenger.tags.get(DECIDED)
    same = inputs in (on, challenger.tags.get(ON_VERSIONS))
    if challenger.tags.get(KEPT) != str(champion.number) or not (same or on in (None, BY_HAND)):
        return None
    why = "by hand" if on == BY_HAND else "on the same rows and settings"
    note = (
        f"version {challenger.number} was kept out by champion {champion.number} before, {why}: "
        "not weighed again (gate --again does)"
    )
    run = challenger.training_run
    if on == BY_HAND or not runs.has_artefact(tracking, run, FACTS):
        return Decision(False, (note,))
    if not runs.has_artefact(tracking, run, OUTCOME):
        return None  # killed before its page told the decision
    outcome = runs.read_json(tracking, run, OUTCOME)
    return Decision(False, (note, *outcome["reasons"]), tuple(outcome["table"]), tuple(outcome["changes"]))

"""Aliases in the registry: who is challenger, who is champion, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.training.gate import Decision, compare
from pozytywka_spark.training.prepare import read_rows
from pozytywka_spark.training.publish import publish, publish_if_missing
from pozytywka_spark.training.rows import SIDE
from pozytywka_spark.training.splits import TEST
from pozytywka_spark.training.story import ROLLED_BACK
from pozytywka_spark.training.tracking import registry
from pozytywka_spark.training.tracking.store import Tracking, connect

DECIDED_AGAINST = "pozytywka.gate.kept"  # the champion that this version was weighed against and lost to


@dataclass(frozen=True)
class Settled:
    """The champion's version now and why."""

    champion: int
    challenger: int
    decision: Decision

    @property
    def reasons(self) -> tuple[str, ...]:
        """The gate's reasons as notes."""
        return tuple(f"gate: {reason}" for reason in self.decision.reasons)


def settle(tracking: Tracking, version: registry.Version, rows: DataFrame, settings: Settings) -> Settled:
    """Make a version the challenger and, first ever or by the gate, the champion.

    A version that was weighed against the present champion before is not weighed again.
    """
    known = registry.aliased(tracking, registry.CHALLENGER)
    if known is None or known.number < version.number:
        registry.set_alias(tracking, registry.CHALLENGER, version.number)
    champion = registry.aliased(tracking, registry.CHAMPION)
    if champion is not None and version.tags.get(DECIDED_AGAINST) == str(champion.number):
        told = f"version {version.number} did not beat champion {champion.number} when they were compared"
        return Settled(champion.number, version.number, Decision(False, (told,)))
    if champion is not None and champion.number > version.number:
        told = f"champion {champion.number} is newer than version {version.number}"
        return Settled(champion.number, version.number, Decision(False, (told,)))
    return weigh(tracking, champion, version, rows, settings)


def run_gate(settings: Settings, lake: Lake, *, dry_run: bool) -> Settled:
    """Weigh @challenger against @champion on the test months of the present tables.

    Raises `TrackingError` if nothing is registered, `DataError` if there are no rows to weigh them on.
    """
    tracking = connect(settings)
    challenger = registry.aliased(tracking, registry.CHALLENGER)
    if challenger is None:
        raise TrackingError(
            f"no model {tracking.model_name}@challenger is registered at {tracking.uri}: "
            "run the train job first"
        )
    champion = registry.aliased(tracking, registry.CHAMPION)
    rows = read_rows(settings, lake).rows
    return weigh(tracking, champion, challenger, rows, settings, dry_run=dry_run)


def weigh(
    tracking: Tracking,
    champion: registry.Version | None,
    challenger: registry.Version,
    rows: DataFrame,
    settings: Settings,
    *,
    dry_run: bool = False,
) -> Settled:
    """Decide, and unless `dry_run` move the alias and leave a note on the version."""
    if challenger.tags.get(registry.GUARDS) != registry.PASSED:
        told = f"version {challenger.number} bears no mark that all guards passed when it was trained"
        decision = Decision(False, (told,), changes=("train it with this project's train job",))
    elif champion is None:
        decision = Decision(True, ("there was no champion",))
    elif champion.number == challenger.number:
        told = f"version {champion.number} is the champion already"
        if not dry_run:
            publish_if_missing(tracking, challenger.training_run)  # a gate killed after it moved the alias
        return Settled(champion.number, challenger.number, Decision(False, (told,)))
    else:
        models = [registry.load_version(tracking, entry.number) for entry in (champion, challenger)]
        decision = compare(rows.filter(F.col(SIDE) == TEST), models[0], models[1], settings)
    if not dry_run:
        _carry_out(tracking, champion, challenger, decision)
        publish(tracking, challenger.training_run, _outcome(champion, challenger, decision))
    promoted = decision.promote and not dry_run
    number = challenger.number if promoted or champion is None else champion.number
    return Settled(number, challenger.number, decision)


def _outcome(
    champion: registry.Version | None, challenger: registry.Version, decision: Decision
) -> dict[str, object]:
    before = "nobody" if champion is None else f"version {champion.number}"
    verdict = f"Promoted: version {challenger.number} took over from {before}."
    if not decision.promote:
        verdict = f"Kept: {before} stays the champion, version {challenger.number} did not take its place."
    return {
        "verdict": verdict,
        "promoted": decision.promote,
        "challenger": challenger.number,
        "champion": challenger.number if decision.promote else champion.number if champion else None,
        "reasons": list(decision.reasons),
        "changes": list(decision.changes),
        "table": [dict(row) for row in decision.table],
    }


def roll_back(settings: Settings) -> tuple[int, int]:
    """Give the champion's place back to the version it took over from; (from, to).

    Raises `TrackingError` if there is no champion, or none before it.
    """
    tracking = connect(settings)
    champion = registry.aliased(tracking, registry.CHAMPION)
    if champion is None:
        raise TrackingError(
            f"no model {tracking.model_name}@champion at {tracking.uri}: nothing to roll back"
        )
    previous = champion.tags.get(registry.PREVIOUS)
    if not previous:
        raise TrackingError(
            f"version {champion.number} of {tracking.model_name} was the first champion: none to roll back to"
        )
    # so that the next training's gate doesn't put it back without being asked
    registry.set_tag(tracking, champion.number, DECIDED_AGAINST, previous)
    registry.set_alias(tracking, registry.CHAMPION, int(previous))
    told = f"Rolled back: version {previous} is the champion again, by hand."
    reasons = [f"version {champion.number} had taken over from version {previous}; gate --rollback undid it"]
    publish(
        tracking,
        champion.training_run,
        {
            "verdict": told,
            "promoted": False,
            "champion": int(previous),
            ROLLED_BACK: True,
            "reasons": reasons,
            "changes": [],
            "table": [],
        },
    )
    return champion.number, int(previous)


def _carry_out(
    tracking: Tracking, champion: registry.Version | None, challenger: registry.Version, decision: Decision
) -> None:
    if not decision.promote:
        if champion is not None:
            registry.set_tag(tracking, challenger.number, DECIDED_AGAINST, str(champion.number))
        return
    if champion is not None:
        registry.set_tag(tracking, challenger.number, registry.PREVIOUS, str(champion.number))
    registry.set_alias(tracking, registry.CHAMPION, challenger.number)

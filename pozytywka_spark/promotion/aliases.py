"""Aliases in the registry: who is challenger, who is champion, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import by_version, pin
from pozytywka_spark.dataset.questions import Asked, Later
from pozytywka_spark.dataset.table_job import table_to_ask
from pozytywka_spark.dossier.publish import publish, publish_if_missing
from pozytywka_spark.dossier.summary import ROLLED_BACK
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.promotion import past_decisions
from pozytywka_spark.promotion.gate import Decision, compare
from pozytywka_spark.promotion.gate_rows import weighed_rows
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.store import Tracking, connect


@dataclass(frozen=True)
class GateReport:
    """The champion's version now and why."""

    champion: int
    challenger: int
    decision: Decision

    @property
    def reasons(self) -> tuple[str, ...]:
        """The gate's reasons as notes."""
        return tuple(f"gate: {reason}" for reason in self.decision.reasons)


def set_aliases(
    tracking: Tracking,
    version: registry.Version,
    asked: Asked,
    settings: Settings,
    *,
    versions: str | None = None,
) -> GateReport:
    """Make a version that was just trained the challenger, and decide about it.

    Not one that is older than the challenger: that was decided about before.
    `versions` as in `evaluate_gate`.
    """
    challenger = registry.aliased(tracking, registry.CHALLENGER)
    if challenger is None or challenger.number < version.number:
        registry.set_alias(tracking, registry.CHALLENGER, version.number)
    champion = registry.aliased(tracking, registry.CHAMPION)
    newest = max(each.number for each in (challenger, champion, version) if each is not None)
    if champion is not None and newest > version.number:
        publish_if_missing(tracking, version.training_run)
        reason = f"version {newest} is newer than version {version.number}, which is not weighed again"
        return GateReport(champion.number, version.number, Decision(False, (reason,)))
    return evaluate_gate(tracking, champion, version, asked, settings, versions=versions)


def run_gate(settings: Settings, lake: Lake, *, dry_run: bool, again: bool = False) -> GateReport:
    """Decide about @challenger on the test months of the present tables.

    Raises `TrackingError` if nothing is registered, `DataError` if there are no rows to weigh them on,
    `GuardError` if the settings ask for another label than the challenger's.
    """
    tracking = connect(settings)
    challenger = registry.aliased(tracking, registry.CHALLENGER)
    if challenger is None:
        raise TrackingError(
            f"no model {tracking.model_name}@challenger is registered at {tracking.uri}: "
            "run the train job first"
        )
    champion = registry.aliased(tracking, registry.CHAMPION)
    pinned = pin(settings, lake)
    versions = by_version(pinned, settings)
    with Later(partial(table_to_ask, pinned, settings, lake)) as asked:
        return evaluate_gate(
            tracking, champion, challenger, asked, settings, versions=versions, dry_run=dry_run, again=again
        )


def evaluate_gate(
    tracking: Tracking,
    champion: registry.Version | None,
    challenger: registry.Version,
    asked: Asked,
    settings: Settings,
    *,
    versions: str | None = None,
    dry_run: bool = False,
    again: bool = False,
) -> GateReport:
    """The one place where it is decided who is the champion, for `train` and `gate` alike.

    A decision stands as long as champion, rows and settings are those it was taken on, and one by hand
    (a rollback) whatever they are; `again` weighs all the same. Unless `dry_run`, the alias is moved and
    a note left on the version. `versions` names the rows by their tables' versions: as long as these are
    the same, nothing is asked.
    """
    inputs = past_decisions.Inputs("")
    if challenger.tags.get(registry.GUARDS) != registry.PASSED:
        reason = f"version {challenger.number} bears no mark that all guards passed when it was trained"
        decision = Decision(False, (reason,), changes=("train it with this project's train job",))
    elif champion is None:
        decision = Decision(True, ("there was no champion",))
    elif champion.number == challenger.number:
        reason = f"version {champion.number} is the champion already"
        if not dry_run:
            publish_if_missing(tracking, challenger.training_run)  # a gate killed after it moved the alias
        return GateReport(champion.number, challenger.number, Decision(False, (reason,)))
    else:
        named = partial(past_decisions.inputs_of, champion, challenger, settings)
        by_versions = named(versions) if versions else None
        taken = None
        if by_versions and not again:
            taken = past_decisions.standing(tracking, champion, challenger, by_versions)
        if taken is None:
            [test] = asked.ask([weighed_rows])
            inputs = past_decisions.Inputs(named(test.digest), by_versions)
            taken = None if again else past_decisions.standing(tracking, champion, challenger, inputs.rows)
        if taken is not None:
            if not dry_run:
                publish_if_missing(tracking, challenger.training_run)  # a gate killed before it told
            return GateReport(champion.number, challenger.number, taken)
        models = [registry.load_version(tracking, entry.number) for entry in (champion, challenger)]
        decision = compare(asked, models[0], models[1], settings, rows=test.rows)
    if not dry_run:
        _carry_out(tracking, champion, challenger, decision, inputs)
        outcome = _outcome(champion, challenger, decision) | {"gate": settings.resolved()["gate"]}
        publish(tracking, challenger.training_run, outcome)
    promoted = decision.promote and not dry_run
    number = challenger.number if promoted or champion is None else champion.number
    return GateReport(number, challenger.number, decision)


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
    # so that neither training nor gate puts it back without being asked
    past_decisions.keep(
        tracking, champion.number, int(previous), past_decisions.Inputs(past_decisions.BY_HAND)
    )
    registry.set_alias(tracking, registry.CHAMPION, int(previous))
    note = f"Rolled back: version {previous} is the champion again, by hand."
    reasons = [f"version {champion.number} had taken over from version {previous}; gate --rollback undid it"]
    publish(
        tracking,
        champion.training_run,
        {
            "verdict": note,
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
    tracking: Tracking,
    champion: registry.Version | None,
    challenger: registry.Version,
    decision: Decision,
    inputs: past_decisions.Inputs,
) -> None:
    if not decision.promote:
        if champion is not None:
            past_decisions.keep(tracking, challenger.number, champion.number, inputs)
        return
    registry.take_over(tracking, challenger.number, None if champion is None else champion.number)

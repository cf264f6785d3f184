"""What policies would have brought on logged days, and the gate between challenger and champion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pozytywka_spark.bandits.gate import CHALLENGER, CHAMPION, Verdict, weigh, weighed
from pozytywka_spark.bandits.learn import days_of
from pozytywka_spark.bandits.log import open_log
from pozytywka_spark.bandits.offpolicy.estimates import UNIFORM, Evaluation, evaluation_of
from pozytywka_spark.bandits.offpolicy.evaluate import UNIFORM_POLICY
from pozytywka_spark.bandits.offpolicy.over_shards import buckets_of, sums_over
from pozytywka_spark.bandits.offpolicy.refusals import refuse
from pozytywka_spark.bandits.offpolicy.sums import Sums
from pozytywka_spark.bandits.policies import NamedPolicy, aliased_policy, find_policy, tracking_of
from pozytywka_spark.bandits.policy import Policy
from pozytywka_spark.bandits.slots import slot_of
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, TrackingError, UsageError
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import BANDIT_EVALUATIONS
from pozytywka_spark.tracking import registry

Days = tuple[date, date]


@dataclass(frozen=True)
class Gated:
    """Who is champion now, and why; `verdict` None where there was nothing to weigh."""

    slot: str
    champion: int | None
    challenger: int
    promoted: bool
    reasons: tuple[str, ...]
    verdict: Verdict | None = None

    @property
    def kept(self) -> bool:
        """Whether a challenger was weighed and not promoted."""
        return self.champion != self.challenger


def evaluate(settings: Settings, lake: Lake, slot: str, asked: str, days: Days | None) -> Evaluation:
    """Value a policy on the log of [first, last] day, and keep that in the table. Default: the days since it
    learnt; of a policy that didn't, those of the holdout.

    Raises `RefusedError` where the log can't say it; then nothing is written.
    """
    slot_of(settings, slot)
    if days is not None and days[0] > days[1]:
        raise UsageError(f"--days {days[0]}..{days[1]}: the first is after the last; expected A..B in order")
    found = find_policy(settings, slot, asked)
    first, last = days or _since(lake, slot, found.policy) or _holdout(settings, lake, slot, None)
    with lake.tasks() as tasks:
        sums = _sums(settings, lake, tasks, slot, [found.policy, UNIFORM_POLICY], (first, last))
    evaluation = evaluation_of(sums, 0, found.name, [(UNIFORM, 1)])
    refuse(sums, 0, found.policy, evaluation, settings.bandits.min_effective)
    write_evaluation(lake, slot, replace(evaluation, first_day=first, last_day=last), found.document)
    return evaluation


def gate(settings: Settings, lake: Lake, slot: str, until: date | None = None) -> Gated:
    """Promote the challenger unless it is worse than the champion beyond noise, on the days that it left out.

    Asked again of the same two on the same days it says the same. Raises `TrackingError` without a
    challenger.
    """
    slot_of(settings, slot)
    challenger = find_policy(settings, slot, CHALLENGER)
    champion = aliased_policy(settings, slot, CHAMPION)
    assert challenger.version is not None
    number = challenger.version.number
    if champion is not None and champion.version is not None and champion.version.number == number:
        return Gated(slot, number, number, False, (f"version {number} is the champion already",))
    if challenger.version.tags.get(_UNDONE):
        before = None if champion is None else int(champion.name)
        return Gated(slot, before, number, False, (f"version {number} was rolled back by hand",))
    days = _holdout(settings, lake, slot, until)
    of_champion = None if champion is None else champion.policy
    with lake.tasks() as tasks:
        wanted = weighed(challenger.policy, of_champion)
        sums = _sums(settings, lake, tasks, slot, wanted, days)
    verdict = weigh(sums, challenger.policy, of_champion, settings.bandits.min_effective)
    _keep(lake, slot, verdict, challenger, champion)
    tracking = tracking_of(settings, slot)
    registry.set_tag(tracking, number, "pozytywka.gate", "; ".join(verdict.reasons)[:4000])
    before = champion.version.number if champion is not None and champion.version is not None else None
    if not verdict.promote:
        return Gated(slot, before, number, False, verdict.reasons, verdict)
    registry.take_over(tracking, number, before)
    return Gated(slot, number, number, True, verdict.reasons, verdict)


_UNDONE = "pozytywka.gate.rolled_back"


def roll_back(settings: Settings, slot: str) -> tuple[int, int]:
    """Make the champion's predecessor champion again; the gate doesn't put it back. (from, to).

    Raises `TrackingError` without a champion or a predecessor.
    """
    slot_of(settings, slot)
    tracking = tracking_of(settings, slot)
    champion = registry.aliased(tracking, registry.CHAMPION)
    if champion is None:
        raise TrackingError(f"slot {slot} has no champion: nothing to roll back")
    previous = champion.tags.get(registry.PREVIOUS)
    if not previous:
        raise TrackingError(
            f"slot {slot}: version {champion.number} was the first champion: none to roll back to"
        )
    registry.set_tag(tracking, champion.number, _UNDONE, "by hand")
    registry.set_alias(tracking, registry.CHAMPION, int(previous))
    return champion.number, int(previous)


def write_evaluation(lake: Lake, slot: str, evaluation: Evaluation, document: Mapping[str, Any]) -> None:
    """A row an estimator and comparison; those of the same policy and days are replaced."""
    inputs = fingerprint_of(dict(document), sort_keys=True)
    rows = [
        {
            "slot": slot,
            "policy": evaluation.policy,
            "first_day": evaluation.first_day,
            "last_day": evaluation.last_day,
            "estimator": each.estimator,
            "value": each.value,
            "low": each.low,
            "high": each.high,
            "effective_sample": each.effective_sample,
            "largest_weight_share": each.largest_weight_share,
            "mean_weight": each.mean_weight,
            "decisions": each.decisions,
            "against": each.against,
            "inputs": inputs,
        }
        for each in evaluation.estimates
    ]
    lake.upsert(as_table(rows, BANDIT_EVALUATIONS), BANDIT_EVALUATIONS)


def _keep(
    lake: Lake, slot: str, verdict: Verdict, challenger: NamedPolicy, champion: NamedPolicy | None
) -> None:
    for name, of in ((CHALLENGER, challenger), (CHAMPION, champion)):
        if of is not None and name in verdict.evaluations:
            named = replace(verdict.evaluations[name], policy=of.name)
            write_evaluation(lake, slot, named, of.document)


def _sums(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    slot: str,
    policies: Sequence[Policy],
    days: Days,
) -> Sums:
    log = open_log(settings, lake, tasks, [slot])
    if not any(days[0] <= day <= days[1] for day in log.days):
        raise DataError(
            f"no decision is logged from {days[0]} to {days[1]}; the log has {log.all_days[0]} "
            f"to {log.all_days[-1]}"
        )
    return sums_over(tasks, buckets_of(log.files, *days), log.reader(slot), policies)


def _since(lake: Lake, slot: str, policy: Policy) -> Days | None:
    """The first and the last day with mature decisions that a policy hasn't learnt from; None if all days
    are such, or none is.
    """
    if policy.trained_days is None:
        return None
    last = date.fromisoformat(policy.trained_days[1][:10])
    days = [day for day, _ in days_of(lake, slot, None) if day > last]
    return (days[0], days[-1]) if days else None


def _holdout(settings: Settings, lake: Lake, slot: str, until: date | None) -> Days:
    """The latest days with mature decisions, which learning leaves out."""
    days = [day for day, _ in days_of(lake, slot, until)][-settings.bandits.holdout_days :]
    return days[0], days[-1]

"""The two steps of a month that concern experiments: newcomers get their groups, readings are brought up."""

from __future__ import annotations

from pozytywka_spark.errors import GuardError
from pozytywka_spark.experiments.assignment import definitions
from pozytywka_spark.experiments.assignment.assign import assign
from pozytywka_spark.experiments.assignment.definition import HASH, Experiment
from pozytywka_spark.experiments.stage import report
from pozytywka_spark.orchestration.month_steps import Month, Result
from pozytywka_spark.orchestration.state import SKIPPED


def enrol_newcomers(work: Month) -> Result:
    """Give every free user of the month who is new to a running experiment the group of their bucket."""
    hashed = [
        name
        for name, experiment in _begun(work).items()
        if not experiment.ended
        and experiment.latest.source == HASH
        and experiment.latest.at <= work.cut_off  # shares that grew since hold for later months only
    ]
    if not hashed:
        return Result("no experiment of ours is running", SKIPPED)
    added = {name: assign(work.settings, work.lake, name, at=work.cut_off).added for name in hashed}
    return Result(", ".join(f"{name}: {count:,} new" for name, count in added.items()))


def read_experiments(work: Month) -> Result:
    """Read every experiment that has a whole month behind it, one after another.

    Raises `GuardError` naming those whose group sizes aren't as meant, once the others are read.
    """
    ready = [
        name
        for name, experiment in _begun(work).items()
        if experiment.started < work.cut_off and not (experiment.ended and experiment.ended <= work.month)
    ]
    if not ready:
        return Result("no experiment has a month to read", SKIPPED)
    pages, refused = [], []
    for name in ready:
        try:
            pages.append(report(work.settings, work.lake, name).path)
        except GuardError as error:
            refused.append(str(error))
    if refused:
        raise GuardError("; ".join(refused))
    return Result(", ".join(pages))


def _begun(work: Month) -> dict[str, Experiment]:
    """Experiments that hold at the month's end, by name."""
    experiments = definitions.read_experiments(work.lake)
    return {
        name: experiments[name] for name in sorted(experiments) if experiments[name].started <= work.cut_off
    }

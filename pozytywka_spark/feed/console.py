"""What the feed's commands tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark import cli
from pozytywka_spark.feed.evaluate import EvaluateReport
from pozytywka_spark.feed.evaluation.judge import ALL
from pozytywka_spark.feed.explain import Explained
from pozytywka_spark.feed.gate import Decision
from pozytywka_spark.feed.ranking import PAGE
from pozytywka_spark.feed.stage import RankReport
from pozytywka_spark.feed.take_in import TakenIn
from pozytywka_spark.feed.training import TrainReport
from pozytywka_spark.names import HEADS


def show_train(report: TrainReport) -> None:
    """Weights, what was measured, and what the gate says."""
    if report.unchanged:
        cli.say(f"version {report.version} was trained on the same inputs: nothing is trained anew")
    else:
        cli.say(f"version {report.version} trained as of {report.day}")
    cli.say(f"weights from {report.weights.why}")
    cli.show_table(
        "weights",
        _rounded(
            [
                {"head": one.head, "weight": one.weight, "low": one.low, "high": one.high, "from": one.source}
                for one in report.weights.weights
            ]
        ),
    )
    for name, share in report.measured["recall"].items():
        cli.say(f"{name}: {share:.4f}")
    if report.measured["left_out"]:
        cli.say(f"heads without examples, left out: {', '.join(report.measured['left_out'])}")
    show_decision(report.decision)


def show_decision(decision: Decision) -> None:
    """One line."""
    outcome = "promoted" if decision.promoted else "champion"
    cli.say(f"version {decision.champion} {outcome}: {decision.reason}")


def show_evaluated(report: EvaluateReport) -> None:
    """All users' rows."""
    if report.unchanged:
        cli.say(f"the feed of {report.day} was evaluated on the same inputs before")
    rows = [
        {name: row[name] for name in ("metric", "ranking", "value", "low", "high", "users")}
        for row in sorted(report.rows, key=lambda row: (row["metric"], row["ranking"]))
        if row["slice"] == ALL
    ]
    cli.show_table(f"feed of {report.day} by the days after it", _rounded(rows))


def show_rank(report: RankReport) -> None:
    """The funnel, stage by stage."""
    page = report.counts[PAGE, ""]
    if report.unchanged:
        cli.say(f"the feed of {report.day} is there already: the same inputs make no page anew")
    else:
        replaced = ", in place of one of other inputs" if report.before else ""
        cli.say(
            f"feed of {report.day}{replaced}: {page.tracks_out:,} tracks on pages of {page.users:,} users, "
            f"model version {report.model_version}"
        )
    cli.show_table("stages", funnel(report.counts))


def funnel(counts: Mapping[tuple[str, str], Any]) -> list[dict[str, Any]]:
    """A row a stage, and one a rule that had something to do."""
    return [
        {
            "stage": stage,
            "rule": rule,
            "users": count.users,
            "tracks in": count.tracks_in,
            "tracks out": count.tracks_out,
            "seconds": f"{count.seconds:.2f}" if not rule else "",
        }
        for (stage, rule), count in counts.items()
        if not rule or count.tracks_in or count.tracks_out
    ]


def show_explained(told: Explained) -> None:
    """A page, and what isn't on it."""
    cli.say(f"user {told.user_id} on {told.day}, model version {told.model_version}")
    if told.differs:
        cli.say("the feed that stands there was made of other inputs: run feed rank again to have this one")
    cli.show_table("what each stage let in and out", list(told.stages))
    cli.show_table("removed by integrity", list(told.removed))
    cli.show_table("dropped by the light pass, the best of them", _rounded(told.dropped))
    cli.show_table(f"the page: value = {' + '.join(HEADS)}, each weight times chance", _rounded(told.places))
    cli.show_table("of a value that would do, but not on the page", _rounded(told.absent))


def show_taken_in(done: TakenIn) -> None:
    """Counts, and reasons of what was refused."""
    refused = sum(done.refused.values())
    cli.say(
        f"{done.came:,} rows of {done.kind}: {done.taken:,} taken, {done.duplicates:,} there already, "
        f"{refused:,} put aside"
    )
    cli.show_table("put aside", [{"reason": reason, "rows": rows} for reason, rows in done.refused.items()])


def _rounded(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: f"{value:.4f}" if isinstance(value, float) else value for name, value in row.items()}
        for row in rows
    ]

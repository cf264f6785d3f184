"""Trainings and decisions, told to the person at the terminal."""

from __future__ import annotations

from pozytywka_spark import cli
from pozytywka_spark.dossier.publish import PAGE
from pozytywka_spark.promotion.aliases import GateReport
from pozytywka_spark.training.reproduce import Reproduction
from pozytywka_spark.training.stage import TrainingReport

PROMOTED, KEPT = 0, 3


def show_training(report: TrainingReport) -> None:
    """Print the split, the notes, the models beside each other and where everything is."""
    cli.show_table("sides of the split", report.split)
    for line in report.diagram:
        cli.say(f"  {line}")
    for note in report.notes:
        cli.say(f"note: {note}")
    if report.tuning:
        cli.show_table("tuning on the rolling folds", report.tuning)
    cli.show_table("models on the test months", report.models)
    cli.say(report.verdict)
    cli.show_table("whom to address: what each rule would have brought there", report.decisions)
    model = f"model {report.model_name} version {report.version} (champion: version {report.champion})"
    cli.say(f"{model}, {report.model_kind}")
    cli.say(f"run {report.run_id} in {report.tracking_uri}; its dossier is the artifact {PAGE}")
    cli.say(f"look at it with: mlflow ui --backend-store-uri {report.tracking_uri}")


def show_gate(settled: GateReport, *, dry_run: bool) -> int:
    """Print the gate's decision; the exit code that says it."""
    cli.show_table("on the same test rows", settled.decision.table)
    for reason in settled.decision.reasons:
        cli.say(f"  {reason}")
    for change in settled.decision.changes:
        cli.say(f"  what would change it: {change}")
    if settled.decision.promote:
        cli.say(f"promoted: version {settled.challenger} {'would be' if dry_run else 'is'} the champion")
        return PROMOTED
    cli.say(f"kept: version {settled.champion} {'would still be' if dry_run else 'is still'} the champion")
    return KEPT


def show_rollback(before: int, now: int) -> int:
    """Print who the champion is again; the exit code."""
    cli.say(f"rolled back: version {now} is the champion again, version {before} is not")
    return PROMOTED


def show_reproduction(reproduction: Reproduction) -> int:
    """Print what is the same and what isn't; 0 if everything is, else 1."""
    cli.show_table(f"run {reproduction.run_id} trained again", reproduction.rows)
    for note in reproduction.notes:
        cli.say(f"note: {note}")
    differing = [str(row["what"]) for row in reproduction.rows if not row["same"]]
    cli.say(f"differs: {', '.join(differing)}" if differing else f"the same {reproduction.exactly}")
    return 0 if reproduction.same else 1

"""What the feedback job shows."""

from __future__ import annotations

from pozytywka_spark import cli
from pozytywka_spark.feedback.page import cut_row
from pozytywka_spark.feedback.score import ScoreReport
from pozytywka_spark.feedback.train import TrainReport


def show_training(report: TrainReport) -> None:
    """What was learnt, how right it is on the test months, which model serves."""
    for task, why in report.plan.silent.items():
        cli.say(f"{task}: too few labels, nothing is guessed: {why}")
    for task, names in report.plan.left_out.items():
        cli.say(f"{task}: too few texts to learn {', '.join(names)}")
    if report.unchanged:
        cli.say(f"version {report.version}: {report.why}, nothing to do; the champion is {report.champion}")
        return
    rows = [
        {
            "task": task,
            "classes": len(report.model.learnt[task].classes),
            "test texts": one.texts,
            "right": one.accuracy,
            "AUC": one.auc,
            "loss": one.loss,
        }
        for task, one in report.tested.items()
    ]
    cli.show_table("on the test months", rows)
    cli.show_table(
        "how sure is sure enough", [cut_row(name, cut) for name, cut in report.model.cuts().items()]
    )
    cli.say(f"{len(report.model.topics)} topics")
    kept = report.champion == report.version
    cli.say(f"version {report.version} {'serves' if kept else 'is not better'}: {report.why}")
    if not kept:
        cli.say(f"version {report.champion} stays")


def show_scores(report: ScoreReport) -> None:
    """What was scored."""
    if report.unchanged:
        cli.say(f"texts and model are those of the last run: nothing to do (model {report.model_id})")
        return
    cli.say(
        f"{report.texts:,} texts scored by model {report.model_id}: {report.queue:,} with a queue, "
        f"{report.spam:,} spam; a person takes the others"
    )
    if report.stayed:
        cli.say(f"{report.stayed:,} signals of texts that are deleted stay")

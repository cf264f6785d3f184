"""A training, told to the person at the terminal."""

from __future__ import annotations

from pozytywka_spark import cli
from pozytywka_spark.training.stage import TrainingReport


def show(report: TrainingReport) -> None:
    """Print the split, the notes, the models beside each other and where everything is."""
    cli.show_table("sides of the split", report.split)
    for line in report.diagram:
        cli.say(f"  {line}")
    for note in report.notes:
        cli.say(f"note: {note}")
    cli.show_table("models on the test months", report.models)
    cli.say(f"model {report.model_name} version {report.version} (champion: version {report.champion})")
    cli.say(f"run {report.run_id} in {report.tracking_uri}")
    cli.say(f"look at it with: mlflow ui --backend-store-uri {report.tracking_uri}")

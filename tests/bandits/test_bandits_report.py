"""The page of a slot as the job writes it: from the tables, into the reports and MLflow."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import cli
from pozytywka_spark.bandits.policies import aliased_policy, tracking_of
from pozytywka_spark.bandits.report import report
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.jobs.bandits import main
from pozytywka_spark.lake import open_lake
from pozytywka_spark.tracking import runs
from tests.bandits.made_log import lines, slots, write


def test_a_slot_s_page_is_written_and_kept_with_its_policy(spark: SparkSession, settings: Settings) -> None:
    home = Path(settings.home)
    overrides = [f"home={home}", slots(), "bandits.min_effective=100"]
    sets = [part for each in overrides for part in ("--set", each)]
    lake = open_lake(settings, spark)
    own = load_settings("local", overrides)
    with pytest.raises(DataError, match="run bandits take-in first"):
        report(own, lake, "prompt")
    log = write(home / "log.jsonl", lines(4000, 8))
    with cli.OUT.capture():
        assert main(["take-in", "--from", str(log), *sets]) == 0
        before_learning = Path(report(own, lake, "prompt")).read_text()
        for command in ("learn", "gate", "report"):
            assert main([command, "--slot", "prompt", *sets]) == 0
    assert "no policy learnt yet; decisions of 2024-01-01 to 2024-01-08" in before_learning
    page = (home / "reports" / "bandits-prompt.html").read_text()
    said = "champion 1; decisions of 2024-01-01 to 2024-01-08"
    for words in (said, "4,000", "Novelty", "effective_sample"):
        assert words in page
    champion = aliased_policy(own, "prompt", "champion")
    assert champion is not None
    assert champion.version is not None
    tracking = tracking_of(own, "prompt")
    assert runs.has_artefact(tracking, champion.version.training_run, "bandits-prompt.html")
    assert Path(report(own, lake, "prompt")).read_text() == page

"""The train and gate jobs through their entry points: what a new user gets wrong, in one line."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import cli
from tests.running import job, run
from tests.worlds.trained import Trained, settings_in


def sets_of(trained: Trained) -> tuple[str, ...]:
    """The overrides that lead to the trained lake."""
    same = settings_in(Path(trained.settings.home))
    assert same == trained.settings
    return (
        f"home={trained.settings.home}",
        f"features.drop=[{','.join(trained.settings.features.drop)}]",
        "training.max_trees=120",
        "training.early_stopping_rounds=15",
        "evaluation.bootstrap=40",
    )


@pytest.mark.parametrize("name", ["train", "score", "gate"])
def test_an_empty_lake_is_one_line_that_names_the_job_to_run(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(name, f"home={tmp_path}") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "run the features job first" in error or "run the train job first" in error


def test_train_again_says_that_there_is_nothing_to_do(spark: SparkSession, trained: Trained) -> None:
    with cli.OUT.capture() as shown:
        assert run("train", *sets_of(trained)) == 0
    told = shown.get()
    assert f"version {trained.report.version} was trained on the same inputs: nothing to do" in told
    assert "mlflow ui --backend-store-uri" in told


def test_the_gate_keeps_a_champion_that_is_the_challenger(spark: SparkSession, trained: Trained) -> None:
    with cli.OUT.capture() as shown:
        assert run("gate", *sets_of(trained), flags=("--dry-run",)) == 3
    assert "is the champion already" in shown.get()


def test_score_writes_the_month_that_was_asked_for(spark: SparkSession, trained: Trained) -> None:
    with cli.OUT.capture() as shown:
        assert run("score", *sets_of(trained), flags=("--month", "2022-10")) == 0
    assert "2022-10 scored by pozytywka-premium version 1" in " ".join(shown.get().split())


@pytest.mark.parametrize("month", ["2022-13", "October", "2022-10-05"])
def test_a_month_that_is_none_is_wrong_usage(month: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        job("score").main(["--month", month])
    assert left.value.code == 2
    assert "expected a month such as 2023-05" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--trials", "5"], "budgets of --tune: add it"),
        (["--minutes", "5"], "budgets of --tune: add it"),
        (["--tune", "--trials", "many"], "invalid int value"),
    ],
)
def test_flags_of_tuning_that_say_nothing_are_wrong_usage(
    flags: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        job("train").main(flags)
    assert left.value.code == 2
    assert told in capsys.readouterr().err


def test_flags_of_tuning_are_settings(capsys: pytest.CaptureFixture[str]) -> None:
    train = job("train")
    parser = argparse.ArgumentParser()
    for flag, kind in (("--trials", int), ("--minutes", float)):
        parser.add_argument(flag, type=kind)
    parser.add_argument("--tune", action="store_true")

    def settings(*flags: str) -> list[str]:
        return [part for part in train.with_tuning(parser, flags)[len(flags) :] if part != "--set"]

    assert settings() == []
    assert settings("--tune") == ["tuning.enabled=true"]
    assert settings("--tune", "--trials", "9") == ["tuning.enabled=true", "tuning.trials=9"]
    assert settings("--tune", "--minutes", "2") == [
        "tuning.enabled=true", "tuning.trials=null", "tuning.minutes=2.0"
    ]  # fmt: skip
    assert train.main(["--tune", "--trials", "0"]) == 2
    assert "setting tuning.trials=0: input should be greater than or equal to 1" in capsys.readouterr().err


def test_maintain_tells_what_it_did_with_each_table(spark: SparkSession, trained: Trained) -> None:
    with cli.OUT.capture() as shown:
        assert run("maintain", *sets_of(trained), flags=("--no-compact",)) == 0
    told = shown.get()
    assert "versions kept for models" in told or "versions kept" in " ".join(told.split())
    assert all(name in told for name in ("features", "labels", "users"))

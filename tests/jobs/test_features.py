"""The features job as its user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.jobs.features import main


@pytest.fixture
def flags(tmp_path: Path) -> list[str]:
    wanted = [
        f"home={tmp_path}",
        "spark.master=local[2]",
        "spark.shuffle_partitions=2",
        "spark.driver_memory=3g",
    ]
    return [part for setting in wanted for part in ("--set", setting)]


def test_the_catalogue_is_printed_and_written(
    spark: SparkSession, flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*flags, "--catalogue"]) == 0
    shown = capsys.readouterr().out
    assert "features, hash" in shown
    for name in ("features.md", "features.html"):
        text = (tmp_path / "reports" / name).read_text(encoding="utf-8")
        assert all(feature.name in text for feature in CATALOGUE)


def test_entries_of_ones_own_are_on_the_pages(
    spark: SparkSession, flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ["--set", "features.extra=[tests.features.extra_features]"]
    assert main([*flags, *own, "--catalogue"]) == 0
    assert "early_plays" in capsys.readouterr().out
    for name in ("features.md", "features.html"):
        assert "early_share_last_3_months" in (tmp_path / "reports" / name).read_text(encoding="utf-8")


def test_a_flag_that_is_gone_says_what_to_do(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*flags, "--since-last-ingest"])
    error = capsys.readouterr().err
    assert left.value.code == 2
    assert "--since-last-ingest is no flag any more: without a flag, features builds the months" in error
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "since-last-ingest" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--months", "2023"], 2, "--months 2023: expected YYYY-MM..YYYY-MM"),
        (["--months", ""], 2, "--months : expected YYYY-MM..YYYY-MM"),
        (["--set", "features.extra=[no_such]"], 2, "features.extra: no_such can't be imported"),
        (["--set", "features.drop=[nonsense]"], 2, "features.drop: no such feature: nonsense"),
        ([], 1, "features need the tables users, artists, tracks, track_storage, events"),
    ],
)
def test_wrong_use_is_one_line(
    spark: SparkSession,
    flags: list[str],
    arguments: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*flags, *arguments]) == code
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}")
    assert error.count("\n") == 1

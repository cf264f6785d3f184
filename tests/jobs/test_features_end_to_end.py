"""The features job with each of its flags on one lake, and leaky entries that stop it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import schemas
from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import GuardError
from pozytywka_spark.features import stage
from pozytywka_spark.features.declared.catalogue import ANALYSTS, CATALOGUE, catalogue_hash
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.stage import FeaturesReport, build_features
from pozytywka_spark.jobs import features as job
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from tests.features import oracle
from tests.features.leaky_entries import LEAKS, entry, leaky_entries
from tests.worlds.histories import content
from tests.worlds.made_delivery import CLEAN, write_delivery
from tests.worlds.silver import silver_of, write_silver

WANTED = ["spark.master=local[2]", "spark.shuffle_partitions=2"]


BUILT = ("user_month", "features", "labels", "feature_builds", "data_span")


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """January to March 2023 of a made world; real ones are built and guarded in the pipeline's tests."""
    return write_delivery(CLEAN.model_copy(update={"users": 150}), tmp_path_factory.mktemp("delivery"))


@pytest.fixture(scope="module")
def home(spark: SparkSession, delivery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the delivery's silver tables, which the tests below build on in turn."""
    folder = tmp_path_factory.mktemp("job")
    write_silver(lake_at(spark, folder), silver_of(delivery))
    return folder


def counted(delivery: Path, what: str, since: str = "2023-01-01") -> int:
    """Of the user-months since then, by the oracle."""
    sql = f"select {what} from rows where month >= date '{since}'"
    (number,) = oracle.connect(delivery).execute(sql).fetchall()[0]
    return int(number)


def lake_at(spark: SparkSession, home: Path) -> Lake:
    return open_lake(load_settings("local", [f"home={home}", *WANTED]), spark)


def deliver_late(lake: Lake, month: date, event_id: bytes) -> None:
    """One more event of that month, as one that was there."""
    events = pl.DataFrame(pl.from_arrow(lake.rows("events"))).filter(pl.col("event_month") == month)
    late = events.head(1).with_columns(event_id=pl.lit(event_id))
    lake.append(late.to_arrow(), schemas.EVENTS)


def run(home: Path, *arguments: str) -> int:
    settings = [part for setting in (f"home={home}", *WANTED) for part in ("--set", setting)]
    return job.main([*settings, *arguments])


def test_a_first_run_builds_all_guards_it_and_reports(
    home: Path, delivery: Path, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(home, "--report") == 0
    shown = capsys.readouterr().out
    assert f"{counted(delivery, 'count(*)'):,} rows, 115 features" in shown
    assert "3 months built" in shown
    assert "first pass" in shown
    for guard in ("names", "rows", "suspicion", "perturbation"):
        assert f"\n{guard} " in shown.replace("\u2502", "")
    page = (home / "reports" / "features-report.html").read_text(encoding="utf-8")
    assert all(f">{feature.name}<" in page for feature in CATALOGUE)
    assert page.count("Histogram of") > 80


def test_flags_choose_the_months(
    home: Path,
    delivery: Path,
    spark: SparkSession,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run(home) == 0
    assert "nothing has changed" in capsys.readouterr().out
    few = partial(build_features, features=ANALYSTS)  # the flags are the same for all, and dear with all
    monkeypatch.setattr(stage, "build_features", few)
    quick = ("--set", "guards.perturbation=false")
    assert run(home, "--full", *quick) == 0
    assert f"{counted(delivery, 'count(*)'):,} rows, 25 features" in capsys.readouterr().out
    lake = lake_at(spark, home)
    deliver_late(lake, date(2023, 2, 1), b"late")
    assert run(home, "--months", "2023-03..2023-03", *quick) == 1
    assert "rests on 2023-02" in capsys.readouterr().err
    assert run(home, "--months", "2023-02..2023-02", *quick) == 0
    shown = capsys.readouterr().out
    assert "1 month built" in shown
    assert "stale: 2023-03" in shown
    assert run(home, *quick) == 0
    assert "1 month built" in capsys.readouterr().out


def test_months_built_on_earlier_ones_are_guarded_too(
    home: Path, delivery: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Honest ones pass; one that sees the next month is named, even where the hash misses that it changed,
    and in the last month, after which there is but an invented future."""
    lake, settings = lake_at(spark, home), load_settings("local", [f"home={home}", *WANTED])
    honest = catalogue_hash(features=ANALYSTS)

    deliveries = count()

    def build(month: str, features: Sequence[Feature]) -> FeaturesReport:
        deliver_late(lake, date.fromisoformat(month), b"later %d" % next(deliveries))
        return build_features(spark, settings, lake, features=features)

    report = build("2023-02-01", ANALYSTS)
    users = counted(delivery, "count(distinct user_id)", since="2023-02-01")
    assert [month.month for month in report.months] == [2, 3]
    assert report.guards[-1].checked == (
        f"all {users:,} users, future after 2023-02 deleted and scrambled, after 2023-03 scrambled"
    )
    before = content(lake, "features")

    monkeypatch.setattr(stage, "declared_hash", lambda *_: honest)
    next_plays = pl.col("plays").shift(-1).over("user_id", order_by="month").fill_null(0)
    leaky = replace(ANALYSTS[0], value=replace(ANALYSTS[0].value.as_formula(), expression=lambda: next_plays))
    for month, how in (("2023-03", "scrambled"), ("2023-02", "deleted")):
        told = rf"perturbation: feature {leaky.name} of user \d+, month {month} .* {how}: it"
        with pytest.raises(GuardError, match=told):
            build(f"{month}-01", [leaky, *ANALYSTS[1:]])
        assert content(lake, "features") == before


def test_leaks_in_the_catalogue_stop_the_job_by_name(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty-four at once: each is named; an honest entry beside them is not."""
    leaky = (*ANALYSTS[:3], *leaky_entries())
    monkeypatch.setattr(stage, "build_features", partial(build_features, features=leaky))
    assert run(home, "--full") == 1
    error = capsys.readouterr().err
    assert error.startswith("error: guard perturbation: feature ")
    assert " of user " in error
    assert ", month 2023-0" in error
    assert len(LEAKS) == 24
    assert [name for name in LEAKS if name not in error] == []
    assert [feature.name for feature in ANALYSTS[:3] if feature.name in error] == []


def test_entries_named_like_targets_stop_the_job(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    named = entry("time_to_purchase", lambda: pl.col("plays"))
    monkeypatch.setattr(stage, "build_features", partial(build_features, features=(*ANALYSTS[:3], named)))
    assert run(home, "--full", "--set", "guards.perturbation=false") == 1
    assert capsys.readouterr().err.startswith("error: guard names: feature time_to_purchase is a target")


def test_a_canary_must_be_stopped_and_nothing_is_kept(
    home: Path, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = lake_at(spark, home)
    before = {name: lake.version(name) for name in ("first_purchases", *BUILT)}
    assert run(home, "--canary") == 1
    assert capsys.readouterr().err.startswith("error: guard perturbation: feature canary of user ")
    assert run(home, "--canary", "--set", "guards.perturbation=false") == 1
    assert capsys.readouterr().err.startswith(
        "error: no guard stopped the canary, feature canary, which knows"
    )
    assert {name: lake.version(name) for name in before} == before
    with pytest.raises(SystemExit):
        run(home, "--canary", "--months", "2023-02")
    assert "not allowed with" in capsys.readouterr().err

"""The reading end to end: the generator's known effect lies within every interval, counts equal pandas'."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, GuardError, UsageError
from pozytywka_spark.experiments.analysis.read_experiment import read_experiment
from pozytywka_spark.experiments.assignment.assign import AssignReport, assign, end
from pozytywka_spark.experiments.assignment.importing import import_exposures, import_groups
from pozytywka_spark.experiments.stage import ExperimentReport, report
from pozytywka_spark.lake import Lake
from pozytywka_spark.tracking.store import connect
from tests.worlds.known_effect import START, Known

NAMES = {"true": "treatment", "false": "control"}


def take_in(spark: SparkSession, known: Known, name: str, people: pd.DataFrame, lake: Lake) -> AssignReport:
    file = spark.createDataFrame(people[["user_id", "treated"]])
    return import_groups(
        known.settings, lake, name, file, {"treatment": 50}, START,
        columns=("user_id", "treated"), renamed=NAMES,
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(spark: SparkSession, known: Known) -> ExperimentReport:
    """The generator's own experiment, imported and read."""
    done = take_in(spark, known, "louder", known.people, known.lake)
    early = known.people["bought_at"] < pd.Timestamp(START)
    assert done.fates == {
        "assigned now": (~early).sum(),
        "assigned before": 0,
        "premium already": early.sum(),
    }
    assert take_in(spark, known, "louder", known.people, known.lake).added == 0
    return report(known.settings, known.lake, "louder")


def test_the_known_effect_lies_within_every_interval(known: Known, told: ExperimentReport) -> None:
    last = told.reading.of("cumulative")[-1]
    assert known.effect > 0.05
    assert last["low"] <= known.effect <= last["high"]
    assert last["always_low"] <= known.effect <= last["always_high"]
    assert last["cuped_low"] <= known.effect <= last["cuped_high"]
    assert last["cuped_width"] < 0.99  # the past of these users tells something
    assert last["always_low"] < last["low"]
    assert last["high"] < last["always_high"]
    assert last["always_p"] < 0.05


def test_counts_of_every_month_are_those_of_pandas(known: Known, told: ExperimentReport) -> None:
    people = known.people
    free = people[~(people["bought_at"] < pd.Timestamp(START))]
    rows = {(row["reading"], row["month"]): row for row in told.reading.rows if row["reading"] != "segment"}
    for month in pd.date_range(START, "2022-11-01", freq="MS"):
        end_of = month + pd.offsets.MonthBegin(1)
        for prefix, group in (("", free[free["treated"]]), ("control_", free[~free["treated"]])):
            at_risk = group[~(group["bought_at"] < month)]
            monthly, so_far = rows["month", month.date()], rows["cumulative", month.date()]
            assert monthly[f"{prefix}users"] == len(at_risk)
            assert monthly[f"{prefix}purchases"] == (at_risk["bought_at"] < end_of).sum()
            assert so_far[f"{prefix}users"] == len(group)
            assert so_far[f"{prefix}purchases"] == (group["bought_at"] < end_of).sum()
            assert so_far[f"{prefix}share"] == pytest.approx((group["bought_at"] < end_of).mean())
    assert len(rows) == 12


def test_segments_add_up_and_are_corrected_for_being_many(known: Known, told: ExperimentReport) -> None:
    rows, last = told.reading.of("segment"), told.reading.of("cumulative")[-1]
    assert {row["value"] for row in rows if row["segment"] == "city"} == {"Gdynia", "Radom", "Kielce"}
    cities = [row for row in rows if row["segment"] == "city"]
    assert sum(row["users"] for row in cities) == last["users"]
    assert sum(row["control_purchases"] for row in cities) == last["control_purchases"]
    assert all(row["p_adjusted"] >= row["p_value"] for row in rows)
    assert {row["segment"] for row in rows} == {"city", "tenure", "activity"}
    assert all(min(row["users"], row["control_users"]) >= 100 for row in rows)
    apart = [abs(row["difference in sd"]) for row in told.reading.balance]
    assert len(apart) == 5
    assert max(apart) < 0.15


def test_what_it_leaves_behind_and_that_reading_again_changes_nothing(
    spark: SparkSession, known: Known, told: ExperimentReport
) -> None:
    stored = known.lake.read("experiment_results").where("experiment = 'louder'").toPandas()
    assert len(stored) == len(told.reading.rows)
    last = stored[(stored["reading"] == "cumulative") & (stored["month"] == date(2022, 11, 1))].iloc[0]
    assert last["difference"] == told.reading.of("cumulative")[-1]["difference"]
    page = Path(told.path).read_text(encoding="utf-8")
    assert page.count("<img") == 4
    assert "valid" in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    tracking = connect(known.settings)
    logged = tracking.client.get_run(told.run_id)
    assert logged.data.metrics["treatment.difference"] == pytest.approx(last["difference"])
    assert len(tracking.client.get_metric_history(told.run_id, "treatment.always_low")) == 6
    assert mlflow.artifacts.load_text(f"{logged.info.artifact_uri}/experiment-louder.html") == page
    assert logged.info.run_name.startswith("experiment louder · ")
    assert logged.data.tags["kind"] == "experiment"
    assert "artifacts/experiment-louder.html)" in logged.data.tags["mlflow.note.content"]
    assert {entry.dataset.name for entry in logged.inputs.dataset_inputs} == {"assignments", "events"}
    version = known.lake.version("experiment_results")
    again = report(known.settings, known.lake, "louder")
    assert (again.unchanged, again.run_id) == (True, told.run_id)
    assert Path(again.path).read_text(encoding="utf-8") == page
    assert known.lake.version("experiment_results") == version


def test_an_assignment_by_hash_finds_no_effect_and_tells_what_muddies_it(
    spark: SparkSession, known: Known, told: ExperimentReport
) -> None:
    """Independent of the generator's treatment; half of each group is treated by it, a few were exposed."""
    settings = known.settings.model_copy(
        update={"experiments": known.settings.experiments.model_copy(update={"population": "all"})}
    )
    done = assign(settings, known.lake, "calm", {"a": 30, "b": 30}, START)
    assert (
        done.added
        == done.fates["assigned now"]
        == told.reading.of("cumulative")[-1]["users"] + (told.reading.of("cumulative")[-1]["control_users"])
    )
    rows = known.lake.read("assignments").where("experiment = 'calm'").toPandas()
    chosen = rows[rows["group"] != "b"].head(9)
    exposed = spark.createDataFrame(
        [(int(user), "2022-07-02 10:00:00") for user in chosen["user_id"]], "who long, at string"
    )
    assert import_exposures(known.lake, "calm", exposed, ("who", "at")) == 9
    assert import_exposures(known.lake, "calm", exposed, ("who", "at")) == 0
    reading = read_experiment(settings, known.lake, "calm")
    for row in reading.of("cumulative"):
        assert row["always_low"] < 0 < row["always_high"]
    muddied = {(row["group"], row["what"]): row["users"] for row in reading.contamination}
    control_exposed = (chosen["group"] == "control").sum()
    assert muddied.get(("control", "exposed although control"), 0) == control_exposed
    sizes = rows["group"].value_counts()
    assert muddied["a", "never exposed although treated"] == sizes["a"] - (9 - control_exposed)
    treated = set(known.people.loc[known.people["treated"], "user_id"])
    both = rows[rows["user_id"].isin(treated)]["group"].value_counts()
    assert muddied["b", "also treated by louder"] == both["b"]
    assert end(known.lake, "calm", date(2022, 8, 1)).status == "ended"
    ended = read_experiment(settings, known.lake, "calm")
    assert ended.months == (date(2022, 6, 1), date(2022, 7, 1))


def test_lost_users_stop_the_reading(spark: SparkSession, known: Known) -> None:
    """Half of the treated who didn't buy never made it into the log: their share would look splendid."""
    lost = known.people["treated"] & known.people["bought_at"].isna() & (known.people["user_id"] % 2 == 0)
    take_in(spark, known, "lossy", known.people[~lost], known.lake)
    with pytest.raises(
        GuardError, match=r"sample ratio mismatch, the reading stops: \w+ has .*50.00% were meant"
    ):
        report(known.settings, known.lake, "lossy")


def test_what_cannot_be_read_or_taken_in_is_named(
    spark: SparkSession, known: Known, settings: Settings
) -> None:
    with pytest.raises(
        UsageError, match=r"no experiment nothing in .*\(there are: .*louder.*\); start it with"
    ):
        report(known.settings, known.lake, "nothing")
    later = assign(known.settings, known.lake, "later", {"treatment": 20})
    assert later.at == date(2022, 12, 1)
    with pytest.raises(DataError, match="nothing to read yet: the experiment starts at 2022-12-01"):
        report(known.settings, known.lake, "later")
    turned = replace(known, people=known.people.assign(treated=~known.people["treated"]))
    with pytest.raises(DataError, match="users of the file have another group in experiment louder"):
        take_in(spark, turned, "louder", turned.people, known.lake)
    file = spark.createDataFrame(known.people[["user_id", "treated"]])
    columns = ("user_id", "treated")
    with pytest.raises(UsageError, match="the file has groups false, true, expected treatment, control"):
        import_groups(known.settings, known.lake, "other", file, {"treatment": 50}, columns=columns)
    doubled = pd.concat([known.people, known.people.assign(treated=True)])
    with pytest.raises(DataError, match=r"users of the file have several groups or no id"):
        take_in(spark, known, "doubled", doubled, known.lake)
    assert np.isfinite(known.effect)

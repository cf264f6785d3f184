"""The factory's job as its user meets it: any labelled table, what is refused, and the lake's cases."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import cli
from pozytywka_spark.config import Settings
from pozytywka_spark.factory import table_inputs
from pozytywka_spark.factory.table_pieces import ReadPieces
from pozytywka_spark.jobs.factory import main
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.tracking.notes import KIND
from pozytywka_spark.tracking.store import connect
from tests.factory.test_lake import PROMOTED, days, put

BUILT = "2024-03-21"


def run(settings: Settings, *words: str) -> tuple[int, str]:
    with cli.OUT.capture() as shown:
        code = main([*words, "--set", f"home={settings.home}"])
    return code, shown.get()


def labelled(groups: tuple[str, ...] = ("loops", "night"), each: int = 1600, seed: int = 1) -> pl.DataFrame:
    """Cases of which a number, a yes or no and a word tell what they are."""
    rng, count = np.random.default_rng(seed), each * len(groups)
    bad = rng.random(count) < 0.5
    start = np.datetime64("2024-01-01T00:00:00", "us")
    return pl.DataFrame(
        {
            "case_id": [f"{seed}-{place}" for place in range(count)],
            "group": [groups[place % len(groups)] for place in range(count)],
            "user_id": [f"u{seed}-{place}" for place in range(count)],
            "cut_off": start + np.arange(count) * np.timedelta64(3600, "s"),
            "verdict": np.where(bad, "bad", "ok"),
            "pace": np.where(rng.random(count) < 0.05, np.nan, rng.normal(size=count) + 9 * bad),
            "is_new": bad & (rng.random(count) < 0.9),
            "device": np.where(bad, "emulator", "phone"),
            "score": rng.normal(size=count) + 9 * bad,
        }
    ).with_columns(pl.col("pace").fill_nan(None))


@pytest.fixture
def folder(spark: SparkSession, settings: Settings) -> Path:
    assert spark
    return Path(settings.home)


def lake_of(spark: SparkSession, settings: Settings) -> Lake:
    return open_lake(settings, spark)


def states(lake: Lake) -> set[tuple[str, str, str]]:
    return {(row["group"], row["side"], row["state"]) for row in lake.rows("factory_models").to_pylist()}


BOTH_KEPT = {(group, side, "shadow") for group in ("loops", "night") for side in ("refuse", "approve")}


def test_any_labelled_table_is_built_and_another_decided(
    spark: SparkSession, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, later, out = (str(folder / name) for name in ("cases.csv", "later.jsonl", "decided.csv"))
    labelled().drop("score").write_csv(path)
    new = labelled(each=40, seed=2).drop("score", "verdict")
    unseen = pl.when(pl.int_range(pl.len()) % 7 == 0).then(pl.lit("never seen")).otherwise("device")
    new.with_columns(unseen.alias("device")).write_ndjson(later)
    code, shown = run(settings, "build", "--from", path)
    assert code == 0
    assert "4 of 4 sides kept" in shown
    lake = lake_of(spark, settings)
    assert states(lake) == BOTH_KEPT
    assert "there already" in run(settings, "build", "--from", path)[1]
    assert not lake.exists("second_looks")

    assert run(settings, "decide", "--from", later, "--out", out)[0] == 0
    decided = pl.read_csv(out)
    assert sorted(decided["case_id"]) == sorted(new["case_id"])
    assert set(decided["mode"]) == {"shadow", "audit"}
    assert {"refuse", "approve"} <= set(decided["decision"])
    assert not lake.exists("decisions")
    whole = str(folder / "decided.parquet")
    assert run(settings, "decide", "--from", later, "--out", whole)[0] == 0
    columns = [name for name in decided.columns if name not in ("reasons", "decided_at", "release_at")]
    assert pl.read_parquet(whole).select(columns).equals(decided.select(columns))
    assert decided["case_id"].to_list() == new["case_id"].to_list()  # the table's order
    again = folder / "again.csv"
    monkeypatch.setattr(table_inputs, "ReadPieces", lambda: ReadPieces(2000))
    assert run(settings, "decide", "--from", later, "--out", str(again))[0] == 0
    assert again.read_bytes() == Path(out).read_bytes()
    monkeypatch.undo()

    tracking = connect(settings)
    found = tracking.client.search_runs([tracking.experiment_id])
    parents = [each for each in found if "mlflow.parentRunId" not in each.data.tags]
    children = [each for each in found if "mlflow.parentRunId" in each.data.tags]
    assert [each.data.metrics["kept_groups"] for each in parents] == [2.0]
    assert sorted(each.data.tags["pozytywka.group"] for each in children) == ["loops", "night"]
    assert {each.data.tags["mlflow.parentRunId"] for each in children} == {parents[0].info.run_id}
    assert all("refuse.precision_low" in each.data.metrics for each in children)


def test_a_side_of_a_table_goes_live_by_a_later_table_and_touches_no_side_of_the_lake(
    spark: SparkSession, settings: Settings, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, later, out = (str(folder / name) for name in ("cases.parquet", "later.parquet", "decided.parquet"))
    lake = lake_of(spark, settings)
    put(lake, days(0, 80))
    assert run(settings, "build", "--at", BUILT)[0] == 0
    first = labelled(("pace",)).drop("score")
    first.write_parquet(path)
    assert run(settings, "build", "--from", path)[0] == 0
    side = ("--group", "pace", "--side", "refuse")
    assert "fresh accounts wrong" in run(settings, "promote", *side, "--from", path)[1]
    code, shown = run(settings, "promote", *side, "--from", path)
    assert (code, "0 of 0 fresh" in shown) == (3, True)  # what it was built of isn't fresh
    assert "353 without an error" in " ".join(shown.split())
    fresh = labelled(("pace",), each=900, seed=3).drop("score")
    fresh = fresh.with_columns(pl.col("cut_off") + timedelta(days=70))
    fresh.write_parquet(later)
    assert run(settings, "promote", *side, "--from", later)[0] == 0
    assert "is live already" in run(settings, "promote", *side, "--from", later)[1]
    moved = fresh.with_columns(pl.col("cut_off") + timedelta(days=40))
    moved.drop("verdict").write_parquet(path)
    assert run(settings, "decide", "--from", path, "--out", out)[0] == 0
    modes = pl.read_parquet(out).group_by("decision").agg(pl.col("mode").unique().sort())
    assert dict(modes.iter_rows())["refuse"] == ["audit", "live"]
    rows = lake.rows("factory_models").to_pylist()
    of_lake = [each for each in rows if each["source"] == "lake"]
    assert {each["state"] for each in of_lake} == {"shadow"}

    wrong = pl.when(pl.col("verdict") == "bad").then(pl.lit("ok")).otherwise(pl.lit("bad"))
    moved.with_columns(wrong.alias("verdict")).write_parquet(later)
    code, shown = run(settings, "promote", *side, "--from", later)
    assert code == 3
    assert "withdrawn" in shown
    assert run(settings, "stop", *side, "--at", "2024-04-01")[0] == 0
    rows = lake.rows("factory_models").to_pylist()
    approving = [(each["source"], each["state"]) for each in rows if each["side"] == "approve"]
    assert sorted(approving) == [("lake", "shadow"), ("table", "shadow")]
    other = labelled(("other",), each=1600).drop("score")
    other.write_parquet(path)
    assert run(settings, "build", "--from", path)[0] == 0
    assert run(settings, "promote", "--group", "other", "--side", "refuse")[0] == 2
    assert "promote --from FILE" in capsys.readouterr().err


def test_a_ready_score_is_only_proven(spark: SparkSession, settings: Settings, folder: Path) -> None:
    path, out = str(folder / "scores.parquet"), str(folder / "decided.jsonl")
    cases = labelled()
    cases.write_parquet(path)
    tracking = connect(settings)
    killed = tracking.client.create_run(tracking.experiment_id, tags={KIND: "factory"}).info.run_id
    assert run(settings, "build", "--from", path, "--score", "score", "--group", "loops")[0] == 0
    assert tracking.client.get_run(killed).info.status == "KILLED"
    lake = lake_of(spark, settings)
    assert states(lake) == {each for each in BOTH_KEPT if each[0] == "loops"}
    threshold = {
        row["side"]: row["threshold"] for row in lake.rows("factory_models").to_pylist() if row["threshold"]
    }
    assert [row["model"] for row in lake.rows("factory_boosters").to_pylist()] == [None]
    mine = cases.filter(pl.col("group") == "loops")
    mine.write_parquet(path)
    assert run(settings, "decide", "--from", path, "--score", "score", "--out", out)[0] == 0
    told = {row["case_id"]: row["decision"] for row in map(json.loads, Path(out).read_text().splitlines())}
    for case, score in mine.select("case_id", "score").rows():
        refused, approved = score >= threshold["refuse"], score <= threshold["approve"]
        expected = "person" if refused == approved else "refuse" if refused else "approve"
        assert told[case] == expected


def test_tuned(settings: Settings, folder: Path) -> None:
    path = str(folder / "cases.parquet")
    labelled(("loops",)).drop("score").write_parquet(path)
    code, shown = run(settings, "build", "--from", path, "--tune", "--trials", "3")
    assert code == 0
    assert "2 of 2 sides kept" in shown


def test_groups_of_which_nothing_can_be_proven_are_discarded_with_the_reason(
    settings: Settings, folder: Path
) -> None:
    path = str(folder / "cases.csv")
    few = labelled(("few",), each=298)
    one = labelled(("one",), each=400, seed=2).with_columns(pl.lit("ok").alias("verdict"))
    alike = labelled(("alike",), each=1200, seed=3).with_columns(
        pl.lit(0.0).alias("pace"), pl.lit(False).alias("is_new"), pl.lit("phone").alias("device")
    )
    pl.concat([few, one, alike]).drop("score").write_csv(path)
    code, shown = run(settings, "build", "--from", path, "--verbose")
    assert code == 0
    assert "0 of 6 sides kept" in shown
    words = " ".join(shown.split())
    assert "one class only" in words
    assert "too few accounts" in words
    assert run(settings, "promote", "--group", "few", "--side", "refuse")[0] == 2


WRONG = [
    (("build", "--from", "{missing}"), 1, "no such file"),
    (("build", "--from", "{odd}"), 2, "expected a file that ends in"),
    (("build", "--from", "{cases}", "--group", "nobody"), 2, "--group nobody"),
    (("build", "--from", "{cases}", "--score", "nothing"), 1, "no column nothing"),
    (("build", "--from", "{cases}", "--score", "device"), 1, "expected a number"),
    (("build", "--score", "score"), 2, "give --from FILE too"),
    (("build", "--trials", "3"), 2, "give --tune too"),
    (("build", "--from", "{words}"), 1, "expected bad, ok or unsure"),
    (("build", "--from", "{twice}"), 1, "stands twice"),
    (("build", "--from", "{times}"), 1, "expected a time"),
    (("build", "--from", "{nobody}"), 1, "have no user_id"),
    (("build",), 2, "doesn't say where its data end"),
    (("build", "--at", BUILT), 1, "run fraud scan first"),
    (("decide",), 2, "factory build first"),
    (("decide", "--from", "{cases}"), 2, "give both or neither"),
    (("stop", "--group", "nobody", "--side", "refuse"), 2, ""),
]


@pytest.mark.parametrize(("words", "expected", "told"), WRONG)
def test_what_is_wrong_is_told_in_one_line(
    words: tuple[str, ...],
    expected: int,
    told: str,
    settings: Settings,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cases = labelled(("loops",), each=20)
    files = {
        "cases": cases,
        "words": cases.with_columns(pl.lit("evil").alias("verdict")),
        "twice": pl.concat([cases, cases]),
        "times": cases.with_columns(pl.lit("soon").alias("cut_off")),
        "nobody": cases.with_columns(pl.lit(None, pl.String).alias("user_id")),
    }
    for name, rows in files.items():
        rows.write_csv(folder / f"{name}.csv")
    (folder / "odd.txt").write_text("x", encoding="utf-8")
    places = {name: str(folder / f"{name}.csv") for name in (*files, "missing")} | {
        "odd": str(folder / "odd.txt")
    }
    code, _ = run(settings, *(word.format(**places) for word in words))
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert code == expected
    assert told in lines[-1]
    assert not any("Traceback" in line for line in lines)


def test_features_of_a_table_that_changed_since_the_build_are_refused(
    settings: Settings, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = str(folder / "cases.parquet"), str(folder / "decided.parquet")
    labelled(("loops",)).drop("score").write_parquet(path)
    assert run(settings, "build", "--from", path)[0] == 0
    labelled(("loops",), each=9).drop("score", "pace").write_parquet(path)
    assert run(settings, "decide", "--from", path, "--out", out)[0] == 1
    assert "features have changed since the build" in capsys.readouterr().err
    labelled(("other",), each=9).drop("score").write_parquet(path)
    assert run(settings, "decide", "--from", path, "--out", out)[0] == 1
    assert "group other is in no build" in capsys.readouterr().err
    assert not Path(out).exists()


def test_the_lakes_cases_from_build_to_stop(spark: SparkSession, settings: Settings) -> None:
    lake = lake_of(spark, settings)
    put(lake, days(0, 80))
    assert run(settings, "build", "--at", BUILT)[0] == 0
    side = ("--group", "pace", "--side", "refuse")
    code, shown = run(settings, "promote", *side, "--at", BUILT)
    assert code == 3
    assert "stays in shadow: 0 of 0 fresh accounts wrong" in shown
    put(lake, days(80, 111))
    assert run(settings, "decide", "--until", f"{PROMOTED:%Y-%m-%d}")[0] == 0
    later = "2024-04-23"
    code, shown = run(settings, "promote", *side, "--at", later)
    assert code == 0, shown
    assert run(settings, "stop", *side, "--at", "2024-05-01")[0] == 0
    assert "stopped already" in run(settings, "stop", *side, "--at", "2024-05-01")[1]
    assert run(settings, "promote", *side, "--at", "2024-05-02")[0] == 2
    history = sorted(lake.rows("factory_models").to_pylist(), key=lambda row: row["effective_at"])
    refusing = [row["state"] for row in history if row["side"] == "refuse"]
    assert refusing == ["shadow", "live", "stopped"]
    code, shown = run(settings, "report")
    assert code == 0
    assert "factory.html" in shown

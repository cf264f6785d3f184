"""All stages on a lake in an object store end as they do on a disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.synthetic.world import write_world
from tests.running import run

if TYPE_CHECKING:
    from tests.s3_server import S3Server

TINY = [
    "synthetic.users=240", "synthetic.months=7", "synthetic.tracks=400", "synthetic.played_tracks=200",
    "synthetic.artists=80", "synthetic.truth_paths=0", "split.validation_months=1", "split.test_months=1",
    "training.max_trees=10", "training.min_positives=1", "evaluation.bootstrap=5",
    "ingest.assume_alone=true",
]  # fmt: skip
STAGES = ("ingest", "features", "train", "score")
MADE = ("events", "user_month", "features", "labels", "predictions")
BY_CHANCE = {"scored_at", "scoring_id"}  # the clock's and the run's


def contents(spark: SparkSession, chosen: list[str]) -> dict[str, Any]:
    """Of each table its rows, and a digest of them whatever their order."""
    lake = open_lake(load_settings("local", chosen), spark)
    found = {}
    for name in MADE:
        rows = lake.read(name)
        columns = ", ".join(f"`{column}`" for column in sorted(set(rows.columns) - BY_CHANCE))
        digest = rows.selectExpr(f"sum(cast(xxhash64({columns}) as decimal(38, 0)))").collect()[0][0]
        found[name] = (rows.count(), digest)
    return found


def test_every_stage_on_an_object_store(spark: SparkSession, s3_server: S3Server, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write_world(spark, load_settings("local", [f"home={tmp_path}", *TINY]), str(raw))
    ends = {}
    for name, more in (
        ("disk", []),
        ("store", [f"lake.root={s3_server.folder()}/lake", *s3_server.overrides]),
    ):
        chosen = [f"home={tmp_path / name}", f"raw.path={raw}", *TINY, *more]
        for stage in STAGES:
            assert run(stage, *chosen) == 0, f"{stage} on the {name}"
        ends[name] = contents(spark, chosen)
    assert ends["store"] == ends["disk"]
    assert ends["store"]["predictions"][0]


@pytest.mark.parametrize("stage", ["features", "train", "score"])
def test_an_empty_store_is_named(
    spark: SparkSession,
    s3_server: S3Server,
    tmp_path: Path,
    stage: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = s3_server.folder()
    assert run(stage, f"home={tmp_path}", f"lake.root={root}", *s3_server.overrides) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert root in error

"""Raw files and lake on `s3a://`: Hadoop's S3 file system and Delta's own classes, in processes of their own.

Their jars are most of a gigabyte: the tests' shared session does without.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyarrow import fs
from pyspark.sql import SparkSession

from pozytywka_spark.config import load_settings
from pozytywka_spark.doctor import stores
from pozytywka_spark.lake.storage.s3 import endpoint
from pozytywka_spark.synthetic.world import write_world
from tests.jars import needed
from tests.running import JOBS, run
from tests.store.test_s3_pipeline import MADE, STAGES, TINY, contents
from tests.store.test_s3_raw import as_lines, plays, put

if TYPE_CHECKING:
    from tests.s3_server import S3Server

pytestmark = pytest.mark.jvm


def on_s3a(server: S3Server, lake: str, raw: str) -> list[str]:
    """Settings of a job there; tasks open what they put down by themselves."""
    jars = needed("delta", "s3a")
    return [
        "lake.engine=delta-spark", "lake.file_systems=[s3]", *server.overrides,
        f"lake.root={lake.replace('s3://', 's3a://')}", f"raw.path={raw.replace('s3://', 's3a://')}",
        # a class path, not spark.jars: those are copied for each session
        f"spark.conf.spark.driver.extraClassPath={os.pathsep.join(map(str, jars))}",
    ]  # fmt: skip


def job(name: str, *overrides: str) -> None:
    command = [sys.executable, str(JOBS / f"{name}.py")]
    for override in overrides:
        command += ["--set", override]
    environment = os.environ | {"PYTHONPATH": str(JOBS.parent)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"{name}: {done.stderr}"


def test_a_delivery_on_s3a_is_taken_into_a_lake_there(s3_server: S3Server, tmp_path: Path) -> None:
    raw, lake = s3_server.folder(), f"{s3_server.folder()}/lake"
    put(s3_server, f"{raw}/sessions.jsonl", as_lines(plays("a", "b", "c")))
    chosen = [f"home={tmp_path}", "ingest.assume_alone=true", *on_s3a(s3_server, lake, raw)]
    job("ingest", *chosen)
    options = endpoint(load_settings("local", s3_server.overrides).s3).for_delta()
    rows = pa.RecordBatchReader.from_stream(DeltaTable(f"{lake}/events", storage_options=options).scan())
    assert sorted(rows.read_all()["track_id"].to_pylist()) == ["a", "b", "c"]


def test_every_stage_on_s3a_ends_as_on_a_disk(
    spark: SparkSession, s3_server: S3Server, tmp_path: Path
) -> None:
    world = tmp_path / "world"
    write_world(spark, load_settings("local", [f"home={tmp_path}", *TINY]), str(world))
    raw, lake = s3_server.folder(), f"{s3_server.folder()}/lake"
    fs.copy_files(str(world), raw.removeprefix("s3://"), destination_filesystem=s3_server.files)
    disk = [f"home={tmp_path / 'disk'}", f"raw.path={world}", *TINY]
    for stage in STAGES:
        assert run(stage, *disk) == 0, stage
        job(stage, f"home={tmp_path / 's3a'}", *TINY, *on_s3a(s3_server, lake, raw))
    read_by_delta_rs = [f"home={tmp_path}", f"lake.root={lake}", *s3_server.overrides]
    found = contents(spark, read_by_delta_rs)
    assert found == contents(spark, disk)
    assert set(found) == set(MADE)


@pytest.mark.parametrize(
    ("overrides", "state"),
    [
        (["lake.root=s3a://b/lake"], ["warning"]),
        (["lake.root=s3a://b/lake", "spark.conf.spark.delta.logStore.s3a.impl=org.example.Store"], ["ok"]),
        (["lake.root=gs://b/lake"], []),
    ],
)
def test_the_doctor_says_how_many_may_write_at_once(overrides: list[str], state: list[str]) -> None:
    found = stores.writers(load_settings("local", ["lake.engine=delta-spark", *overrides]))
    assert [finding.state for finding in found] == state

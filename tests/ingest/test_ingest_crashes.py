"""Cut short at any point and started again, ingest leaves the tables of an undisturbed run."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pozytywka_spark.ingest import stage
from pozytywka_spark.ingest.file_log import Book
from pozytywka_spark.lake import open_lake
from tests.breaking_lake import OF_INGEST, BreakingLake, BrokenError, CopiedLake
from tests.ingest.older_stream import run_older_stream
from tests.worlds.deliveries import at, contents, rows_in, sessions, users, write
from tests.worlds.planted import PLANTED, planted_below, texts

TABLES = (
    "users", "events", "quarantine", "ingest_counts", "ingest_files", "ingests", "feedback", "name_words",
)  # fmt: skip
SECONDS = 150


@pytest.fixture(autouse=True)
def _no_page(monkeypatch):
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))


def delivery(raw: Path) -> Path:
    rows = sessions(20, seed=6)
    rows[5] = rows[5] | {"user_id": None}
    write(raw / "sessions.jsonl", [*rows, *rows[:7], rows[8] | {"timestamp": "never"}, "{"])
    return raw


def state(lake):
    return {table: contents(lake, table) for table in TABLES}


def test_broken_before_or_after_each_write(spark, settings, tmp_path) -> None:
    raw = delivery(tmp_path / "raw")
    whole = CopiedLake(open_lake(in_lake(settings, tmp_path / "whole"), spark), counted=OF_INGEST)
    stage.ingest(spark, at(in_lake(settings, tmp_path / "whole"), raw), whole)
    expected = state(whole)
    assert len(whole.copies) == 5  # counts, quarantine, events, files, ingests
    for root in [*whole.copies[1:], Path(whole.lake.root)]:
        own = in_lake(settings, root)
        lake = open_lake(own, spark)
        stage.ingest(spark, at(own, raw), lake)
        assert state(lake) == expected, root.name


def test_another_delivery_between_the_crash_and_the_rerun(spark, settings, tmp_path) -> None:
    """What the crashed batch had put down as kept, the other delivery has taken in meanwhile."""
    raw, other = delivery(tmp_path / "raw"), delivery(tmp_path / "other")
    lake = open_lake(settings, spark)
    with pytest.raises(BrokenError):  # its counts are down, its events are not
        stage.ingest(spark, at(settings, raw), BreakingLake(lake, 2, counted=OF_INGEST))
    stage.ingest(spark, at(settings, other), lake)
    report = stage.ingest(spark, at(settings, raw), lake)
    (mine,) = [e for e in report.entities if e.entity == "sessions"]
    assert mine.kept == mine.repaired == mine.quarantined == 0
    kept = sum(row["rows"] for row in rows_in(lake, "ingest_counts", outcome="kept"))
    assert kept == lake.rows("events").num_rows - 1  # one is repaired


def in_lake(settings, root: Path):
    return settings.model_copy(update={"lake": settings.lake.model_copy(update={"root": str(root)})})


def test_killed_before_anything_was_written(spark, settings, tmp_path) -> None:
    """Within a plan, or behind it: nothing binds the next run, which takes in what there is then.

    An older version left a half-written offset of Spark's there.
    """
    raw = delivery(tmp_path / "raw")
    whole, killed = (in_lake(settings, tmp_path / name) for name in ("whole", "killed"))
    stage.ingest(spark, at(whole, raw), open_lake(whole, spark))
    sources = sorted(path.name for path in (tmp_path / "whole" / "_checkpoints").iterdir())
    assert any(name.startswith("sessions-") for name in sources)
    for name in sources:
        left = tmp_path / "killed" / "_checkpoints" / name
        (left / "offsets").mkdir(parents=True)
        (left / "offsets" / ".0.2ccd7059-9598-45eb-b9d4-83f9a088683e.tmp").touch()
        (left / ".0.json.new").write_text('["/no/such')
        (left / "0.json").write_text('["/no/such/file"]')
    stage.ingest(spark, at(killed, raw), open_lake(killed, spark))
    assert state(open_lake(killed, spark)) == state(open_lake(whole, spark))


def test_a_lake_left_within_a_batch_of_sparks_stream_goes_on(spark, settings, tmp_path, monkeypatch) -> None:
    """Two of three files were planned for two batches; the second had written its counts and no more."""
    rows, raw = sessions(12, seed=13), tmp_path / "raw"
    parts = [write(raw / "sessions" / f"{number} é.jsonl", rows[number::3]) for number in range(2)]
    own = at(settings, raw)
    lake = open_lake(own, spark)
    with monkeypatch.context() as patch:
        sources = []
        patch.setattr(Book, "read_new", lambda book, _: sources.append(book.source))
        stage.ingest(spark, own, lake)
    (source,) = sources
    # counts, events and files of the first batch; counts of the second
    run_older_stream(
        spark, BreakingLake(lake, 4, after=True, counted=OF_INGEST), own, source, str(raw), per_batch=1
    )
    assert rows_in(lake, "ingest_counts", batch=1)
    (done,) = (row["path"] for row in rows_in(lake, "ingest_files"))
    assert done in map(str, parts)
    write(raw / "sessions" / "2.jsonl", rows[2::3])
    report = stage.ingest(spark, own, lake)
    (mine,) = [each for each in report.entities if each.entity == "sessions"]
    assert (mine.read, mine.kept, mine.duplicates) == (len(rows), len(rows), 0)
    assert len(contents(lake, "events")) == len(rows)
    files = sorted(rows_in(lake, "ingest_files"), key=lambda row: row["batch"])
    assert [row["batch"] for row in files] == [0, 1, 2]
    assert {row["path"] for row in files} == {str(path) for path in (raw / "sessions").iterdir()}
    assert sum(row["rows"] for row in files) == len(rows)
    assert stage.ingest(spark, own, lake).ingest_id is None


@pytest.mark.slow
@pytest.mark.parametrize("many", [2, 10])
def test_killed_at_random_moments(spark, settings, tmp_path, many) -> None:
    """SIGKILL to the whole process group, as a machine that goes down; then the same command again."""
    raw = delivery(tmp_path / "raw")
    write(raw / "users.jsonl", users())
    write(raw / "feedback.jsonl", texts())
    own = in_lake(settings, tmp_path / "whole")
    stage.ingest(spark, at(own, raw), open_lake(own, spark))
    expected = state(open_lake(own, spark))
    dice, deadline, lakes, kills, took = random.Random(11), time.monotonic() + SECONDS, 0, 0, 6.0
    while kills < many and time.monotonic() < deadline:
        own = in_lake(settings, tmp_path / f"killed {lakes}")
        ready, done = run_for(own, raw, tmp_path, dice.uniform(0.1, 1.0) * took)
        kills += not done
        assert not planted_below(tmp_path / f"killed {lakes}", PLANTED)
        if done:
            took = min(took, done - ready)
            assert state(open_lake(own, spark)) == expected
            lakes += 1
    stage.ingest(spark, at(own, raw), open_lake(own, spark))
    assert state(open_lake(own, spark)) == expected
    assert kills


def run_for(settings, raw: Path, home: Path, seconds: float) -> tuple[float, float]:
    """Run the child and kill it after `seconds` of ingest; when it was ready, and when done (0: killed)."""
    command = [
        sys.executable, str(Path(__file__).with_name("crash_child.py")), f"raw.path={raw}", f"home={home}",
        f"lake.root={settings.lake.root}", "spark.master=local[2]", "spark.driver_memory=1g",
        "spark.shuffle_partitions=2",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
    ) as child:
        assert child.stdout is not None
        assert b"READY" in child.stdout.readline()
        ready = time.monotonic()
        os.set_blocking(child.stdout.fileno(), False)
        told = b""
        while time.monotonic() < ready + seconds and b"DONE" not in told and child.poll() is None:
            told += child.stdout.read() or b""
            time.sleep(0.02)
        done = time.monotonic() if b"DONE" in told else 0.0
        os.killpg(child.pid, signal.SIGKILL)
        return ready, done

"""A delivery that is only checked: told what an ingest would tell, and the lake's files untouched."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, LakeError, UsageError
from pozytywka_spark.ingest import batch, trial
from pozytywka_spark.ingest.intake.lock import only_ingest
from pozytywka_spark.ingest.stage import IngestReport, ingest
from pozytywka_spark.ingest.trial import check_delivery
from pozytywka_spark.lake import open_lake
from tests.jars import needed
from tests.jobs.test_ingest import arguments
from tests.running import run
from tests.worlds.deliveries import at, sessions, users, write


def state(folder: Path) -> dict[str, tuple[int, int, int, bytes | None]]:
    """Of all below a folder: kind, time of the last change of content and of metadata, links, content."""
    return {
        str(place.relative_to(folder)): (
            *(getattr(place.lstat(), name) for name in ("st_mode", "st_mtime_ns", "st_ctime_ns", "st_nlink")),
            place.read_bytes() if place.is_file() else None,
        )
        for place in [folder, *folder.rglob("*")]
    }


def plain(report: IngestReport) -> IngestReport:
    """Without what only an ingest that was kept can have."""
    return replace(report, page=None)


@pytest.fixture(params=["delta-rs", pytest.param("delta-spark", marks=pytest.mark.jvm)])
def engine(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    if request.param == "delta-spark":
        needed("delta")
    return settings.model_copy(update={"lake": settings.lake.model_copy(update={"engine": request.param})})


@pytest.fixture
def first(tmp_path: Path) -> Path:
    raw = tmp_path / "first"
    write(raw / "users.jsonl", users())
    rows = sessions(20)
    write(raw / "sessions.jsonl", [*rows, rows[0] | {"session_id": 9999, "user_id": None}, "{"])
    return raw


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """Old rows and new ones, users who have moved, a session that goes on, new dirt."""
    raw = tmp_path / "second"
    write(raw / "users.jsonl", [user | {"city": "Gdynia"} for user in users()])
    rows = sessions(30)
    write(raw / "sessions.jsonl", [*rows, rows[0] | {"session_id": 9999}, "[", rows[1] | {"track_id": 7}])
    return raw


def test_a_check_tells_what_the_ingest_then_does_and_touches_nothing(
    engine: Settings, spark: SparkSession, first: Path, second: Path, tmp_path: Path
) -> None:
    home, lake = Path(engine.home), Path(engine.lake.root)
    for raw in (first, second, second):
        there = at(engine, raw)
        before = state(home) if home.exists() else None
        checked = check_delivery(spark, there)
        assert (state(home) if home.exists() else None) == before
        done = ingest(spark, there, open_lake(there, spark))
        assert checked == plain(done)
    assert checked.ingest_id is None, "the same delivery again: nothing new"
    assert lake.exists()


def test_a_check_of_what_would_be_refused_is_refused(
    settings: Settings, spark: SparkSession, first: Path, tmp_path: Path
) -> None:
    there = at(settings, first)
    ingest(spark, there, open_lake(there, spark))
    bad = tmp_path / "bad"
    write(bad / "sessions.jsonl", ["{", "["])
    write(bad / "users.jsonl", users())
    before = state(Path(settings.home))
    with pytest.raises(DataError) as checked:
        check_delivery(spark, at(settings, bad))
    assert state(Path(settings.home)) == before
    with pytest.raises(DataError) as done:
        ingest(spark, at(settings, bad), open_lake(there, spark))
    assert str(checked.value) == str(done.value)


def test_an_ingest_that_was_cut_short_is_finished_in_the_copy_alone(
    settings: Settings, spark: SparkSession, first: Path, second: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = at(settings, first)
    ingest(spark, there, open_lake(there, spark))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "write_resolved", die)
    with pytest.raises(KeyboardInterrupt):
        ingest(spark, at(settings, second), open_lake(there, spark))
    monkeypatch.undo()
    before = state(Path(settings.home))
    checked = check_delivery(spark, at(settings, second))
    assert state(Path(settings.home)) == before
    assert checked == plain(ingest(spark, at(settings, second), open_lake(there, spark)))


def test_no_check_looks_at_a_lake_that_an_ingest_changes(
    settings: Settings, spark: SparkSession, first: Path
) -> None:
    hurried = settings.model_copy(update={"ingest": settings.ingest.model_copy(update={"wait_seconds": 0})})
    ingest(spark, at(hurried, first), open_lake(hurried, spark))
    with (
        only_ingest(hurried.lake.root, hurried.ingest),
        pytest.raises(LakeError, match="another ingest is at work"),
    ):
        check_delivery(spark, at(hurried, first))


def test_a_copy_is_gone_whatever_happens(
    settings: Settings, spark: SparkSession, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(trial.tempfile, "tempdir", str(scratch))
    check_delivery(spark, at(settings, first))
    with pytest.raises(DataError):
        check_delivery(spark, at(settings, tmp_path / "nowhere"))
    assert list(scratch.iterdir()) == []
    assert not Path(settings.lake.root).exists()


def test_a_lake_that_has_no_links_is_named(settings: Settings) -> None:
    far = settings.model_copy(update={"lake": settings.lake.model_copy(update={"root": "s3://bucket/lake"})})
    with pytest.raises(UsageError, match=r"lake\.root=s3://bucket/lake is on no disk"):
        check_delivery(None, far)  # type: ignore[arg-type]  # nothing is started


def test_the_job_prints_it_and_ends_as_the_ingest_would(
    spark: SparkSession, first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pozytywka_spark.jobs import ingest as job

    home = tmp_path / "home"
    assert job.main(arguments(spark, home, first, "--check")) == 0
    told = capsys.readouterr().out
    assert not home.exists()
    assert f"only checked: nothing was written to {home}/lake" in told
    assert job.main(arguments(spark, home, first, "--check", "--fail-on", "warn")) == 1
    capsys.readouterr()
    assert job.main(arguments(spark, home, first)) == 0
    done = capsys.readouterr().out
    assert lines(told, "only checked", "check of") == lines(done, "quality report", "ingest ")
    write(tmp_path / "bad" / "sessions.jsonl", ["{", "["])
    assert job.main(arguments(spark, home, tmp_path / "bad", "--check")) == 1
    assert "2 of 2 rows (100%) are unusable" in capsys.readouterr().err
    assert run("ingest", flags=("--check", "--replay")) == 2
    assert "--check and --replay don't go together" in capsys.readouterr().err


def lines(told: str, *without: str) -> list[str]:
    return [" ".join(line.split()) for line in told.splitlines() if not any(part in line for part in without)]

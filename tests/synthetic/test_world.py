"""Worlds on disk: complete or not there, the same however made, never in the place of something else."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Dirt, Settings, Synthetic
from pozytywka_spark.errors import DataError
from pozytywka_spark.names import EVENT_TYPES
from pozytywka_spark.synthetic.parts import PARTS, parts_of
from pozytywka_spark.synthetic.summary import summary_rows
from pozytywka_spark.synthetic.world import purchases_path, write_world
from tests.worlds.synthetic import TINY, planned

# More than a chunk of users, and some dirt: everything that parts could get wrong is there.
WORLD = TINY.model_copy(
    update={
        "users": 510,
        "months": 3,
        "truth_paths": 2,
        "dirt": Dirt(null_user_id=0.02, duplicate_row=0.01),
    }
)


def of(settings: Settings, world: Synthetic, horizon_days: int = 30) -> Settings:
    label = settings.label.model_copy(update={"horizon_days": horizon_days})
    return settings.model_copy(update={"synthetic": world, "label": label})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from pozytywka_spark.config import load_settings

    home = tmp_path_factory.mktemp("world")
    write_world(spark, of(load_settings("local", [f"home={home}"]), WORLD), f"{home}/raw")
    return home


def test_files_are_what_each_part_says_alone(made: Path) -> None:
    """Made here in one process, one after the other: how many cores Spark had makes no difference."""
    plan = planned(WORLD)
    for entity, make in PARTS.items():
        names = [f"part-{number:05}.jsonl" for number in range(parts_of(plan, entity))]
        assert sorted(path.name for path in (made / "raw" / entity).iterdir()) == names
        for number, name in enumerate(names):
            expected = "".join(f"{line}\n" for line in make(plan, number)[0].to_pylist())
            assert (made / "raw" / entity / name).read_text(encoding="utf-8") == expected


def test_lines_look_like_the_real_ones(made: Path, sample: Path) -> None:
    """Same fields in the same order with the same types and spaces, for each file."""
    for entity in PARTS:
        real = (sample / f"{entity}.jsonl").read_text(encoding="utf-8").splitlines()[:300]
        ours = (made / "raw" / entity / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()[:300]
        shapes = [{shape(line) for line in each if "null" not in line} for each in (real, ours)]
        assert shapes[0] & shapes[1], entity
        assert {json.dumps(json.loads(line)) for line in ours} == set(ours)


def shape(line: str) -> str:
    """A line with its letters, digits and lists' contents taken out."""
    fields = {name: re.sub(r"\d+", "9", value) for name, value in _text_of(line).items()}
    return json.dumps(fields)


def _text_of(line: str) -> dict[str, str]:
    return {
        name: value if name == "timestamp" else type(value).__name__
        for name, value in json.loads(line).items()
    }


def test_timestamps_have_a_fraction_only_where_there_is_one(made: Path) -> None:
    text = (made / "raw/sessions/part-00000.jsonl").read_text()
    times = re.findall(r'"timestamp": "([^"]*)"', text)
    kinds = Counter(re.sub(r"\d", "9", time) for time in times)
    assert set(kinds) == {"9999-99-99T99:99:99", "9999-99-99T99:99:99.999999"}
    assert not [time for time in times if time.endswith(".000000")]


def test_the_ledger_on_disk_counts_what_was_planted(made: Path) -> None:
    planned_here: Counter[tuple[str, str]] = Counter()
    plan = planned(WORLD)
    for entity, make in PARTS.items():
        for number in range(parts_of(plan, entity)):
            planned_here.update((entity, defect) for defect in make(plan, number)[1].defect)
    rows = [
        json.loads(line)
        for path in (made / "raw_truth/ledger").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert Counter((row["entity"], row["defect"]) for row in rows) == planned_here
    assert planned_here["sessions", "null_user_id"] > 50


def test_the_summary_counts_the_clean_world(made: Path) -> None:
    shown = {row["figure"]: row["value"] for row in summary_rows(str(made / "raw"))}
    rows = [
        json.loads(line)
        for path in (made / "raw/sessions").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    distinct = {json.dumps(row) for row in rows}  # the planted duplicates fall away
    kinds = Counter(json.loads(line)["event_type"] for line in distinct)
    assert {kind: shown[kind] for kind in EVENT_TYPES} == {kind: f"{kinds[kind]:,}" for kind in EVENT_TYPES}
    assert shown["sessions"] == f"{len({row['session_id'] for row in rows}):,}"
    assert shown["tracks played"] == f"{len({row['track_id'] for row in rows if row['track_id']}):,}"
    assert shown["users"] == "510"


def test_again_does_nothing_and_another_horizon_adds_its_truth(
    made: Path, spark: SparkSession, settings: Settings
) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    write_world(spark, of(settings, WORLD), str(made / "raw"))
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before
    write_world(spark, of(settings, WORLD, horizon_days=14), str(made / "raw"))
    assert contents(made / "raw").keys() == {
        str(p.relative_to(made / "raw")) for p in before if p.is_file() and made / "raw" in p.parents
    }
    months = spark.read.parquet(purchases_path(str(made / "raw"), 14)).select("month").distinct().count()
    assert months == WORLD.months


def test_another_world_is_refused_unless_it_may_be_replaced(
    spark: SparkSession, settings: Settings, tmp_path: Path
) -> None:
    place, world = tmp_path / "raw", TINY.model_copy(update={"users": 20, "months": 2, "truth_paths": 0})
    write_world(spark, of(settings, world), str(place))
    first = contents(place)
    other = world.model_copy(update={"seed": 8})
    with pytest.raises(DataError, match=r"raw holds a world of other settings: choose another folder"):
        write_world(spark, of(settings, other), str(place))
    assert contents(place) == first
    # what a killed run left behind is in nobody's way
    (tmp_path / "raw.making" / "sessions").mkdir(parents=True)
    (tmp_path / "raw.making" / "sessions" / "part-00000.jsonl").write_text("half a wor")
    write_world(spark, of(settings, other), str(place), replace=True)
    assert contents(place) != first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raw", "raw_truth"]
    # nor is a delivery left beside another world's truth by a run killed between the two
    (tmp_path / "raw_truth" / "_world.json").write_text("of another world")
    write_world(spark, of(settings, other), str(place))
    assert (tmp_path / "raw_truth" / "_world.json").read_text() == (place / "_world.json").read_text()


def test_what_synthesize_did_not_make_is_never_deleted(
    spark: SparkSession, settings: Settings, tmp_path: Path
) -> None:
    place = tmp_path / "delivery"
    place.mkdir()
    (place / "users.jsonl").write_text("{}\n")
    for replace in (False, True):
        with pytest.raises(DataError, match="something that synthesize did not make"):
            write_world(spark, of(settings, TINY), str(place), replace=replace)
    assert contents(place) == {"users.jsonl": b"{}\n"}

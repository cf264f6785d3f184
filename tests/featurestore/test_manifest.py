"""Manifests and folders of data sets: written, read, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.featurestore.dataset_folder import MANIFEST, DatasetFolder, open_folder, read_manifest
from pozytywka_spark.featurestore.manifest import (
    FileMade,
    Manifest,
    Recipe,
    SpineRead,
    ViewRead,
    manifest_of,
)
from pozytywka_spark.lake.storage.filesystem import Storage

RECIPE = Recipe(
    SpineRead("/data/spine.csv", "0a", ("user_id",)),
    (
        ViewRead("user_month", ("skip_rate",), "d1", "features", "id1", 3),
        ViewRead("user_score", ("probability", "decile"), "d2", "predictions", "id2", 5, ("premium", 2)),
    ),
    1.5,
    "prompt",
)
MADE = Manifest(
    RECIPE,
    (FileMade("part-00000.parquet", 3, 4, "ff"), FileMade("part-00001.parquet", 1, 5, "ee")),
    {"user_month": {"present": 4, "missing": 0, "expired": 0}},
    {"polars": "2.1.0"},
)


def folder_at(path: Path) -> DatasetFolder:
    return open_folder(Storage(), str(path))


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert manifest_of(MADE.as_text(), "here") == MADE
    assert MADE.rows == 4


def test_the_id_names_rows_not_places() -> None:
    moved = replace(RECIPE, spine=replace(RECIPE.spine, path="/elsewhere/spine.csv"))
    assert moved.dataset_id == RECIPE.dataset_id
    others = [
        replace(RECIPE, spine=replace(RECIPE.spine, sha256="0b")),
        replace(RECIPE, views=RECIPE.views[::-1]),
        replace(RECIPE, views=(replace(RECIPE.views[0], version=4), RECIPE.views[1])),
        replace(RECIPE, views=(RECIPE.views[0], replace(RECIPE.views[1], model=("premium", 3)))),
        replace(RECIPE, delay_hours=0.0),
        replace(RECIPE, service=None),
        replace(RECIPE, catalogue_hash="c"),
    ]
    assert len({RECIPE.dataset_id, *(other.dataset_id for other in others)}) == len(others) + 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "recipe": {}}', "null", '"x"'])
def test_other_texts_are_no_manifests(text: str) -> None:
    with pytest.raises(DataError, match="here is no manifest of a data set"):
        manifest_of(text, "here")


def test_a_manifest_changed_by_hand_is_refused() -> None:
    content = json.loads(MADE.as_text())
    content["recipe"]["views"][0]["version"] = 4
    with pytest.raises(DataError, match="changed by hand, or is of another release"):
        manifest_of(json.dumps(content), "here")
    content = json.loads(MADE.as_text())
    with pytest.raises(DataError, match=r"format 2, expected 1"):
        manifest_of(json.dumps({**content, "format": 2}), "here")


def test_a_folder_is_whole_once_its_manifest_is_there(tmp_path: Path) -> None:
    folder = folder_at(tmp_path / "out")
    assert folder.manifest() is None
    folder.begin()
    (tmp_path / "out" / "part-00000.parquet").write_bytes(b"four")
    with pytest.raises(DataError, match="aren't there"):
        folder.finish(MADE)
    assert folder.manifest() is None  # half of one is in nobody's way
    (tmp_path / "out" / "part-00001.parquet").write_bytes(b"fives")
    (tmp_path / "out" / "part-00002.parquet").write_bytes(b"of an attempt before")
    (tmp_path / "out" / f".part-00001.parquet.{'a' * 32}.tmp").write_bytes(b"half")
    folder.finish(MADE)
    assert folder.manifest() == MADE
    assert read_manifest(Storage(), str(tmp_path / "out")) == MADE
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [
        MANIFEST,
        "part-00000.parquet",
        "part-00001.parquet",
    ]
    folder.begin()
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["_being_made"]


def test_nothing_of_others_is_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(DataError, match=r"not empty and holds no data set .*thesis\.tex"):
        folder_at(tmp_path).manifest()
    with pytest.raises(UsageError, match="it is a file, expected a folder"):
        folder_at(tmp_path / "thesis.tex")
    with pytest.raises(UsageError, match="expected a local folder"):
        open_folder(Storage(), "ftp://host/out")
    with pytest.raises(DataError, match="there is no such file"):
        read_manifest(Storage(), str(tmp_path / "none.json"))

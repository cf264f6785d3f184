"""Data sets made twice, killed and made again, or refused by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import DataError, GuardError, LakeError, PozytywkaError, UsageError
from pozytywka_spark.featurestore import champion, dataset_files
from pozytywka_spark.featurestore.dataset import MadeDataset, make_again, make_dataset
from pozytywka_spark.featurestore.declared import declared_of
from tests.featurestore.made_datasets import MONTHS, asked, files_in, read, spine_at
from tests.featurestore.small_lake import MODEL, SmallLake


def whole(small: SmallLake, home: Path, out: str = "out", **more: Any) -> MadeDataset:
    more = {"views": ["user_month"]} | more
    return make_dataset(small.settings, small.lake, str(home / "spine.parquet"), str(home / out), **more)


def test_twice_changes_nothing_and_again_makes_the_same_bytes(small: SmallLake, tmp_path: Path) -> None:
    first = whole(small, tmp_path)
    before = files_in(tmp_path / "out")
    assert not first.unchanged
    assert whole(small, tmp_path).unchanged
    assert files_in(tmp_path / "out") == before
    # a damaged file isn't whole
    (tmp_path / "out" / "part-00000.parquet").write_bytes(b"x" * len(before["part-00000.parquet"]))
    assert not whole(small, tmp_path).unchanged
    assert files_in(tmp_path / "out") == before
    # the lake goes on, the spine moves
    small.put_features({MONTHS[0]: range(1, 9), MONTHS[2]: range(9)})
    with pytest.raises(DataError, match="holds another data set, or one of earlier tables"):
        whole(small, tmp_path)
    spine = (tmp_path / "spine.parquet").rename(tmp_path / "moved.parquet")
    with pytest.raises(DataError, match="there is no such file"):
        make_again(small.settings, small.lake, first.manifest_path, str(tmp_path / "again"))
    again = make_again(
        small.settings, small.lake, first.manifest_path, str(tmp_path / "again"), spine_path=str(spine)
    )
    assert files_in(tmp_path / "again") == before
    assert again.manifest == first.manifest
    other = spine_at(tmp_path / "other.parquet", asked([(1, datetime(2023, 2, 1, tzinfo=UTC))]))
    with pytest.raises(DataError, match="its bytes aren't those"):
        make_again(small.settings, small.lake, first.folder, str(tmp_path / "third"), spine_path=other)


@pytest.mark.parametrize("break_at", range(4))
def test_killed_anywhere_and_run_again(
    small: SmallLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, break_at: int
) -> None:
    monkeypatch.setattr("pozytywka_spark.featurestore.dataset_work.PIECE_ROWS", 20)
    whole(small, tmp_path, "undisturbed")
    write, left = dataset_files.write_whole, [break_at]

    def breaking(*args: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        write(*args)

    with monkeypatch.context() as broken:
        broken.setattr(dataset_files, "write_whole", breaking)
        broken.setattr("pozytywka_spark.featurestore.dataset_folder.write_whole", breaking)
        with pytest.raises(KeyboardInterrupt):
            whole(small, tmp_path)
    whole(small, tmp_path)
    assert files_in(tmp_path / "out") == files_in(tmp_path / "undisturbed")


def test_what_can_not_be_made_again_is_refused_by_name(
    small: SmallLake, tmp_path: Path, spark: SparkSession
) -> None:
    made = whole(small, tmp_path)

    def again(settings: Settings = small.settings) -> None:
        make_again(settings, small.lake, made.manifest_path, str(tmp_path / "again"))

    rounded = load_settings("local", [f"home={tmp_path}", "featurestore.float32=[user_month]"])
    with pytest.raises(DataError, match="view user_month is declared otherwise"):
        again(rounded)
    content = json.loads(Path(made.manifest_path).read_text())
    content["files"][0]["sha256"] = "0" * 64
    Path(made.manifest_path).write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"1 of 1 files come out otherwise.*was it made of another lake"):
        again()
    content["made_with"]["pyarrow"] = "1.0"
    Path(made.manifest_path).write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"made with pyarrow 1\.0, here"):
        again()
    small.put_features({each: [] for each in MONTHS[:2]})
    small.lake.vacuum("features", retention_hours=0)
    with pytest.raises(LakeError, match="features"):
        again()
    for place in sorted((tmp_path / "lake" / "features").rglob("*"), reverse=True):
        place.rmdir() if place.is_dir() else place.unlink()
    small.put_features({MONTHS[0]: [1]})
    with pytest.raises(LakeError, match=r"table features in .* isn't the one"):
        again()


def test_names_that_are_none_and_columns_twice(small: SmallLake, tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], type[PozytywkaError], str]] = [
        ({"views": ["user_moth"]}, UsageError, "no view user_moth: there are user_month, user_score"),
        ({"views": [], "service": "premiun"}, UsageError, "no service premiun: there are premium"),
        ({"views": ["track_popularity"]}, UsageError, "no column track_id; it has note, user_id, as_of"),
    ]
    for more, error, message in cases:
        with pytest.raises(error, match=message):
            whole(small, tmp_path, **more)
    rows = pl.read_parquet(tmp_path / "spine.parquet")
    spine_at(tmp_path / "spine.parquet", rows.with_columns(skip_rate=1.0))
    with pytest.raises(
        UsageError, match="the spine and view user_month both have a column skip_rate: rename"
    ):
        whole(small, tmp_path)
    spine_at(tmp_path / "spine.parquet", rows.rename({"user_id": "track_id"}))
    with pytest.raises(LakeError, match="view track_popularity: table track_plays is not in"):
        whole(small, tmp_path, views=["track_popularity"])
    spine_at(tmp_path / "spine.parquet", rows.with_columns(pl.lit("soon").alias("as_of")))
    with pytest.raises(DataError, match=r"as_of is 'soon' in row 1: expected times such as"):
        whole(small, tmp_path)
    assert not (tmp_path / "out" / "_manifest.json").exists()


def test_a_model_of_other_features_is_refused(
    small: SmallLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = declared_of(small.settings).service("premium")
    monkeypatch.setattr(champion, "champion_of", lambda settings: MODEL)
    monkeypatch.setattr(champion, "connect", lambda settings: None)
    other = _Model(service.columns, "other")
    monkeypatch.setattr(champion, "load_version", lambda tracking, number: other)
    with pytest.raises(
        GuardError, match=r"service premium: premium version 3 was trained on the catalogue other"
    ):
        whole(small, tmp_path, views=[], service="premium")
    ours = _Model(service.columns, service.catalogue_hash)
    monkeypatch.setattr(champion, "load_version", lambda tracking, number: ours)
    made = whole(small, tmp_path, views=[], service="premium")
    assert made.manifest.recipe.catalogue_hash == service.catalogue_hash
    assert read(made).columns[3 : 3 + len(service.columns)] == list(service.columns)


@dataclass(frozen=True)
class _Model:
    features: tuple[str, ...]
    catalogue_hash: str
    name: str = MODEL[0]
    version: int = MODEL[1]

"""The settings beside a lake: written by jobs, read by others, without secrets, wherever the folder goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pozytywka_spark as pz
from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.lake.recorded import NAME, record_settings


def test_a_reader_has_the_settings_of_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = load_settings("local", ["home=here", "raw.path=delivery", "label.horizon_days=14"])
    record_settings(made)
    monkeypatch.chdir("/")
    for place in (tmp_path / "here", tmp_path / "here" / "lake"):
        opened = pz.open(place).settings
        assert opened.raw_path == f"{tmp_path}/delivery", "a relative place is the job's, not the reader's"
        assert opened.lake.root == f"{tmp_path}/here/lake"
        assert opened.mlflow.tracking_uri == f"sqlite:///{tmp_path}/here/mlflow.db"
        assert opened.label.horizon_days == 14
    assert pz.open(tmp_path / "here", overrides=["label.horizon_days=7"]).settings.label.horizon_days == 7


def test_all_else_is_as_the_job_had_it(tmp_path: Path) -> None:
    made = load_settings("local", [f"home={tmp_path}", "training.max_trees=7", "spark.conf.spark.x=1"])
    record_settings(made)
    assert pz.open(tmp_path).settings.resolved() == made.resolved()


def test_a_home_that_has_moved_is_read_where_it_is(tmp_path: Path) -> None:
    record_settings(load_settings("local", [f"home={tmp_path}/old", f"raw.path={tmp_path}/older/raw"]))
    (tmp_path / "old").rename(tmp_path / "new")
    for place in ("new", "new/lake"):
        opened = pz.open(tmp_path / place).settings
        assert (opened.home, opened.lake.root) == (f"{tmp_path}/new", f"{tmp_path}/new/lake")
        assert opened.mlflow.tracking_uri == f"sqlite:///{tmp_path}/new/mlflow.db"
        assert opened.raw_path == f"{tmp_path}/older/raw", "outside of it"


def test_a_lake_apart_from_its_home_has_them_too(tmp_path: Path) -> None:
    made = load_settings("local", [f"home={tmp_path}/home", f"lake.root={tmp_path}/far/tables"])
    record_settings(made)
    assert pz.open(tmp_path / "far" / "tables").settings == made
    assert (tmp_path / "far" / "tables" / NAME).is_file()


def test_of_a_lake_that_is_no_folder_they_are_in_the_home(tmp_path: Path) -> None:
    made = load_settings("local", [f"home={tmp_path}", "lake.root=s3://bucket/lake"])
    record_settings(made)
    assert pz.open(tmp_path).settings == made


def test_no_secret_is_written(tmp_path: Path) -> None:
    secret = [
        "spark.conf.spark.hadoop.fs.s3a.secret.key=hush",
        "spark.conf.spark.hadoop.fs.s3a.access.key=hush",
        "spark.conf.spark.ui.port=4041",
        "mlflow.tracking_uri=http://anna:hush@host:5000",
    ]
    record_settings(load_settings("local", [f"home={tmp_path}", *secret]))
    text = (tmp_path / "lake" / NAME).read_text(encoding="utf-8")
    assert "hush" not in text
    assert "anna" not in text
    conf = pz.open(tmp_path).settings.spark.conf
    assert conf["spark.ui.port"] == 4041
    assert not [key for key in conf if "s3a" in key]


def test_where_no_job_was_it_is_a_new_home(tmp_path: Path) -> None:
    opened = pz.open(tmp_path / "fresh", overrides=["training.max_trees=3"]).settings
    assert (opened.home, opened.training.max_trees) == (f"{tmp_path}/fresh", 3)
    assert opened.raw.path is None
    assert not (tmp_path / "fresh").exists(), "opening makes nothing"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "can't be read"),
        ('{"format": 99, "settings": {}}', "of another release"),
        ('{"format": 1, "settings": {"env": "local", "home": "x", "polka": 1}}', "of another release.*"),
    ],
)
def test_what_can_not_be_understood_is_named(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "lake").mkdir()
    values = json.loads(content) if content != "{" else None
    if values and values["format"] == 1:
        values["settings"]["lake"] = {"root": f"{tmp_path}/lake"}
        values["settings"]["mlflow"] = {"tracking_uri": "sqlite:///x/mlflow.db"}
        content = json.dumps(values)
    (tmp_path / "lake" / NAME).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=rf"lake/{NAME}.*{told}"):
        pz.open(tmp_path)


def test_a_folder_that_can_not_be_written_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file where the folder would be")
    record_settings(load_settings("local", [f"home={tmp_path}"]))
    assert not (tmp_path / "lake").is_dir()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "which one"),
        ({"place": "s3://bucket/lake"}, "is no folder"),
        ({"place": "var", "overrides": ["polka=1"]}, "unknown setting polka"),
    ],
)
def test_wrong_usage_is_one_line(arguments: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        pz.open(**arguments)  # type: ignore[arg-type]

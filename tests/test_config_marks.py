"""Every setting says what it decides; identities follow exactly the settings that decide their product."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, get_args

import pytest

import pozytywka_spark
from pozytywka_spark.config import Settings, deciding, load_settings
from pozytywka_spark.config.base import Product, Section
from pozytywka_spark.config.decisive import marks
from pozytywka_spark.dataset.provenance import fingerprint
from pozytywka_spark.training.tuning.tune import study_name

SETTINGS = load_settings("local", ["tuning.enabled=true"])
NAMES = sorted(marks())


def values_of(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted names and values, found in the settings themselves, not by their declarations."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Section):
            found |= values_of(dict(value), f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def with_other(settings: Section, path: list[str]) -> Any:
    """The settings with another value, valid or not, of the one at `path`."""
    value = getattr(settings, path[0])
    if len(path) > 1:
        changed = with_other(value, path[1:])
    elif isinstance(value, bool):
        changed = not value
    elif isinstance(value, (int, float)):
        changed = value + 1
    elif isinstance(value, tuple):
        changed = (*value, *value, 1)
    elif isinstance(value, dict):
        changed = {**value, "another": 1}
    else:
        changed = f"{value} otherwise"
    return settings.model_copy(update={path[0]: changed})


def changed(name: str) -> Settings:
    # pydantic warns of values of another type as it writes them: those are what the test is about
    return with_other(SETTINGS, name.split("."))


def test_every_setting_of_every_section_bears_a_mark() -> None:
    assert set(values_of(dict(SETTINGS))) == set(NAMES)
    assert [name for name, mark in marks().items() if mark is None] == []
    assert set().union(*(mark or set() for mark in marks().values())) <= set(get_args(Product))


def test_a_setting_without_a_mark_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(SETTINGS.mlflow), "section_decides", None)
    marks.cache_clear()
    try:
        assert [name for name, mark in marks().items() if mark is None] == [
            f"mlflow.{name}" for name in ("tracking_uri", "artifact_root", "experiment", "model_name")
        ]
    finally:
        marks.cache_clear()


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", NAMES)
def test_a_setting_changes_the_fingerprint_of_a_training_just_if_it_decides_it(name: str) -> None:
    before, after = (fingerprint(each, ("a",), "c", "r") for each in (SETTINGS, changed(name)))
    mark = marks()[name] or frozenset()
    assert (before != after) == bool(mark & {"model", "report", "search"})


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("product", get_args(Product))
def test_an_identity_hashes_the_settings_that_decide_its_product_and_no_others(product: Product) -> None:
    own = deciding(SETTINGS, product)
    assert set(own) == {name for name in NAMES if product in (marks()[name] or ())}
    for name in NAMES:
        assert (deciding(changed(name), product) != own) == (name in own), name


def test_a_search_that_is_not_made_decides_nothing() -> None:
    without = load_settings("local", [])
    other = load_settings("local", ["tuning.trials=7", "tuning.seed=8"])
    assert fingerprint(without, ("a",), "c", "r") == fingerprint(other, ("a",), "c", "r")


def test_the_same_search_goes_on_whatever_its_budget() -> None:
    names = {
        given: study_name(load_settings("local", [given]), "inputs", 2)
        for given in ("tuning.trials=30", "tuning.trials=90", "tuning.minutes=2", "tuning.seed=8")
    }
    assert len(set(names.values())) == 2
    assert names["tuning.seed=8"] != names["tuning.trials=30"]


@pytest.mark.parametrize(
    "given",
    [
        "scoring.policy.kind=value",  # a setting of the decision table, in no fingerprint before
        "scoring.policy.value_of_sale=30",
        "calibration.method=platt",
        "guards.seed=8",
        "evaluation.thresholds=[0.4]",
    ],
)
def test_what_a_training_writes_is_not_yesterdays(given: str) -> None:
    before, after = (fingerprint(load_settings("local", sets), (), "c", "r") for sets in ([], [given]))
    assert before != after


# What the code of a room reads of the settings must be marked as deciding what the room makes; without effect
# on it are places and texts.
READ_BY = {
    "training": {"model", "report", "search", "study", "gate"},
    "scoring": {"predictions"},
    "monitoring": {"monitoring"},
    "simulation": {"simulation"},
}
ROOMS = {"training": ("dataset", "models", "evaluation", "tracking", "training", "promotion", "dossier")}
EXCEPT = {
    ("training", "mlflow.tracking_uri"),
    ("training", "mlflow.artifact_root"),
    ("training", "mlflow.experiment"),
    ("training", "mlflow.model_name"),
    ("training", "home"),
    ("training", "tuning.storage"),
    ("training", "lake.retention_hours"),
    ("training", "training.small_table_mb"),  # the same answers either way
}


def read_in(room: str) -> set[str]:
    """Settings that the sources of a stage's rooms name in full, `settings.section.setting`."""
    found = set()
    package = Path(pozytywka_spark.__file__).parent
    for source in (file for folder in ROOMS.get(room, (room,)) for file in (package / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text())):
            names: list[str] = []
            while isinstance(node, ast.Attribute):
                names.insert(0, node.attr)
                node = node.value
            if isinstance(node, ast.Name) and node.id == "settings":
                found |= {".".join(names[:size]) for size in (1, 2, 3)} & set(NAMES)
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("room", sorted(READ_BY))
def test_what_a_room_reads_is_marked_as_deciding_what_it_makes(room: str) -> None:
    read = {name for name in read_in(room) if (room, name) not in EXCEPT}
    assert {name for name in read if not READ_BY[room] & (marks()[name] or frozenset())} == set()


def test_settings_are_found_where_they_are_read() -> None:
    assert {"training.max_trees", "label.horizon_days", "guards.seed"} <= read_in("training")

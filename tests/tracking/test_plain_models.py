"""Plain files as registered models: the same inputs once, back byte for byte, pinned for the vacuum."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.tracking import plain_models, registry
from pozytywka_spark.tracking.plain_models import PlainModel
from pozytywka_spark.tracking.store import connect

MADE = PlainModel(
    kind="bandit",
    inputs="f00d",
    files={"policy.json": b'{"kind": "uniform"}', "tables/days.json": '["ż"]'.encode()},
    lake_root="/lake",
    versions={"bandit_days": 7, "events": 3},
    tags={"slot": "spotlight"},
    params={"arms": 3},
    metrics={"days": 14.0},
)


@pytest.mark.thorough
def test_files_come_back_and_the_same_inputs_are_registered_once(settings: Settings) -> None:
    tracking = plain_models.named(connect(settings), "pozytywka-bandit-spotlight")
    runs: list[str] = []
    first = plain_models.register_files(tracking, "bandit spotlight", MADE, runs.append)
    again = plain_models.register_files(tracking, "bandit spotlight", MADE, runs.append)
    other = plain_models.register_files(tracking, "bandit", replace(MADE, inputs="beef"), runs.append)
    assert (first.number, again.number, other.number) == (1, 1, 2)
    assert runs == [first.training_run, other.training_run]
    assert first.tags["slot"] == "spotlight"
    assert plain_models.load_files(tracking, 1) == MADE.files
    found = registry.find_version(tracking, "f00d")
    assert found is not None
    assert found.number == 1

    registry.set_alias(tracking, registry.CHAMPION, 1)
    registry.set_alias(tracking, registry.CHALLENGER, 2)
    champion = registry.aliased(tracking, registry.CHAMPION)
    assert champion is not None
    assert champion.number == 1
    # the models of another name know nothing of it
    assert registry.aliased(connect(settings), registry.CHAMPION) is None

    assert registry.pinned_versions(tracking, "/lake") == {"bandit_days": {7}, "events": {3}}
    assert registry.pinned_versions(tracking, "/another") == {}


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["../policy.json", "/policy.json", "", "MLmodel"])
def test_a_file_stays_in_its_folder(settings: Settings, name: str) -> None:
    tracking = connect(settings)
    with pytest.raises(ValueError, match="within its folder"):
        plain_models.register_files(tracking, "bandit", replace(MADE, files={name: b""}))


def test_a_version_that_is_not_there(settings: Settings) -> None:
    with pytest.raises(TrackingError, match="version 3"):
        plain_models.load_files(connect(settings), 3)

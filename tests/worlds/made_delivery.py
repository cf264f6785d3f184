"""Deliveries that need no Spark and no file of anybody's: 500 users of a made world, clean and dirty; fewer
of them over more months.

They are made as they are first asked for, the same on every machine, in a third of a second each.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pozytywka_spark.config import Dirt, Synthetic
from pozytywka_spark.synthetic.life import plan_of
from pozytywka_spark.synthetic.parts import PARTS, parts_of

CLEAN = Synthetic(
    users=500, months=3, start=date(2023, 1, 1), tracks=600, artists=150, played_tracks=200, genres=120
)
# A month each to train on, to choose by, to test on and to score: whole pipelines that prove where they run.
# Without February, whose 28 days would put January's labels beyond it and so purge it.
# Sessions are more than 4 MB, so that two tasks read them.
FOUR_MONTHS = Synthetic(
    users=300, months=4, start=date(2023, 3, 1), tracks=400, artists=60, played_tracks=200, genres=120
)
# what a pipeline needs to be told of it
FEW_MONTHS = (
    "split.validation_months=1", "split.test_months=1", "training.max_trees=5", "training.min_positives=1",
    "evaluation.bootstrap=5",
)  # fmt: skip
DIRTY = CLEAN.model_copy(
    update={
        "dirt": Dirt(
            null_user_id=0.03, null_track_id=0.03, null_event_type=0.03, lower_case_event_type=0.05,
            misspelt_advertisement=0.02, orphan_user=0.02, orphan_track=0.01, repeated_like=0.02,
            second_purchase=0.05, bad_timestamp=0.01, stray_id=0.05, minus_one_id=0.05, null_genres=0.05,
            null_favourite_genres=0.02, null_premium_user=0.02, broken_json=0.01, wrong_type=0.01,
            duplicate_row=0.01,
        )
    }
)  # fmt: skip


def write_delivery(world: Synthetic, folder: Path) -> Path:
    """The world's files, one an entity as in real deliveries."""
    plan = plan_of(world)
    for entity, make in PARTS.items():
        parts = [make(plan, part)[0].to_pylist() for part in range(parts_of(plan, entity))]
        text = "".join(f"{line}\n" for lines in parts for line in lines)
        (folder / f"{entity}.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def made_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean delivery of a made world."""
    return write_delivery(CLEAN, tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def made_dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A delivery of the same world with dirt."""
    return write_delivery(DIRTY, tmp_path_factory.mktemp("made-dirty"))


@pytest.fixture(scope="module", params=["made_sample", "sample"])
def clean_delivery(request: pytest.FixtureRequest) -> Path:
    """January to March 2023 without dirt: of the made world, and where it is there of the real one."""
    folder = request.getfixturevalue(request.param)
    assert isinstance(folder, Path)
    return folder

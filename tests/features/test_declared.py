"""The catalogue's hash is our own declaration's; recorded values see to it that it stays true."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.features.declared.catalogue import ANALYSTS, CATALOGUE, catalogue_hash, feature_order
from pozytywka_spark.features.declared.declaration import Feature, measures_of
from tests.features import recorded
from tests.features.recorded import complaints, declared

# A literal: an upgrade of Polars, of Python or a better wording must not change it. Who changes it on purpose
# makes all months stale and the champion refused: that is what changed arithmetic does.
HASH = "e99e3de2071dd3e164a616f3c3e8225333ebbbbb29aac3d4a93b5790f76318eb"


def with_first(**changes: object) -> tuple[Feature, ...]:
    return (replace(CATALOGUE[0], **changes), *CATALOGUE[1:])


def computed(**changes: object) -> tuple[Feature, ...]:
    """The first one with something else about how its value is computed."""
    return with_first(value=replace(CATALOGUE[0].value.as_formula(), **changes))


def test_the_hash_is_the_recorded_one() -> None:
    assert catalogue_hash() == HASH


def test_every_entry_states_its_arithmetic() -> None:
    for entry in (*CATALOGUE, *measures_of(CATALOGUE)):
        assert entry.arithmetic, entry.name
        assert entry.revision >= 1
    assert len({feature.arithmetic for feature in CATALOGUE}) == len(CATALOGUE)


def test_the_hash_follows_names_order_arithmetic_and_revisions_not_wording_nor_the_engine() -> None:
    ads = CATALOGUE[0].measures[0]
    assert catalogue_hash(features=with_first(meaning="heard adverts")) == HASH
    assert catalogue_hash(features=with_first(null="null: never")) == HASH
    assert catalogue_hash(features=computed(expression=lambda: pl.col("whatever"))) == HASH
    others = [
        with_first(name="adverts"),
        computed(arithmetic="ads + 1"),
        with_first(revision=2),
        with_first(unit="thousands"),
        computed(months=3),
        computed(measures=(replace(ads, arithmetic="count of PLAY"),)),
        computed(measures=(replace(ads, revision=2),)),
        computed(measures=(replace(ads, level="gap"),)),
        (CATALOGUE[1], CATALOGUE[0], *CATALOGUE[2:]),
        CATALOGUE[:-1],
        ANALYSTS,
    ]
    hashes = [catalogue_hash(features=features) for features in others]
    assert len({HASH, *hashes}) == len(others) + 1
    dropped = load_settings("local", ["features.drop=[average_popularity]"])
    assert catalogue_hash(dropped) != HASH
    assert len(feature_order(dropped)) == len(CATALOGUE) - 1


def test_the_catalogue_is_listed_without_a_session(tmp_path: Path) -> None:
    """In a process of its own, with no Java to be found and no session allowed."""
    code = (
        "import sys; from pyspark.sql import SparkSession\n"
        "def no(*_): raise AssertionError('a session')\n"
        "SparkSession.Builder.getOrCreate = no\n"
        "from pozytywka_spark.jobs.features import main\n"
        f"sys.exit(main(['--catalogue', '--set', 'home={tmp_path}']))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "", "JAVA_HOME": "/nowhere", "PYTHONPATH": str(root)},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"hash {HASH[:12]}" in done.stdout
    assert HASH in (tmp_path / "reports" / "features.md").read_text(encoding="utf-8")


@pytest.mark.thorough
def test_values_on_the_fixed_input_are_the_recorded_ones() -> None:
    values = recorded.values_on_fixed_input()
    assert complaints(json.loads(recorded.FILE.read_text()), recorded.record_of(values)) == []
    # an entry that is the same everywhere, or nowhere known, would let any arithmetic pass
    flat = [name for name, column in values.items() if len(set(column) - {None}) < 3]
    assert flat == []


@pytest.mark.parametrize(
    ("declaration", "values", "told"),
    [
        ("d", "v", []),
        ("d", "w", ["feature a has other values though its declaration is the same: raise its revision, then "
                    "record its values anew"]),
        ("e", "w", [f"the declaration of feature a has changed: {recorded.ANEW}"]),
        ("e", "v", [f"the declaration of feature a has changed: {recorded.ANEW}"]),
    ],
)  # fmt: skip
def test_other_values_under_the_same_declaration_ask_for_a_revision(
    declaration: str, values: str, told: list[str]
) -> None:
    then = {"feature a": {"declared": "d", "values": "v"}}
    assert complaints(then, {"feature a": {"declared": declaration, "values": values}}) == told


def test_new_and_lost_entries_are_told() -> None:
    one = {"feature a": {"declared": "d", "values": "v"}}
    assert complaints({}, one) == [f"feature a is new: {recorded.ANEW}"]
    assert complaints(one, {}) == [f"feature a is not in the catalogue any more: {recorded.ANEW}"]


def test_a_raised_revision_of_a_measure_is_one_of_its_features() -> None:
    feature = CATALOGUE[0]
    raised = replace(feature, value=replace(feature.measures[0], revision=2))
    assert declared(raised) != declared(feature)
    assert recorded.digest_of([1.0, None]) == recorded.digest_of([1.0 + 1e-15, None])
    assert recorded.digest_of([1.0, None]) != recorded.digest_of([1.0 + 1e-9, None])

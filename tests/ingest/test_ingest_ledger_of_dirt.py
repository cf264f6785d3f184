"""A made world with every defect: the quality report counts what the generator's ledger says it planted."""

import json
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from pozytywka_spark.config import Dirt, load_settings
from pozytywka_spark.ingest.stage import ingest
from pozytywka_spark.lake import open_lake
from pozytywka_spark.synthetic.world import truth_path, write_world
from tests.worlds.deliveries import at, rows_in

RATE = 0.05
WORLD = [
    "users=120",
    "months=2",
    "tracks=400",
    "artists=120",
    "played_tracks=150",
    "genres=100",
    "truth_paths=0",
]

# How the report names what the ledger planted, defect by defect, where nothing else can have caused it.
AS_PLANTED = {
    ("sessions", "raw: null user_id"): {"null_user_id"},
    ("sessions", "raw: null track_id"): {"null_track_id"},
    ("sessions", "raw: null event_type"): {"null_event_type"},
    ("sessions", "raw: case of event_type"): {"lower_case_event_type"},
    ("sessions", "raw: spelling of event_type"): {"misspelt_advertisement"},
    ("sessions", "quarantined: bad_timestamp"): {"bad_timestamp"},
    ("sessions", "quarantined: malformed"): {"broken_json"},
    ("sessions", "quarantined: wrong_type"): {"wrong_type"},
    ("sessions", "duplicate: same_row"): {"duplicate_row"},
    ("events", "like repeated"): {"repeated_like"},
    ("users", "several purchases"): {"second_purchase"},
    ("users", "raw: null favourite_genres"): {"null_favourite_genres"},
    ("users", "favourite genres null"): {"null_favourite_genres"},
    ("users", "raw: null premium_user"): {"null_premium_user"},
    ("users", "premium flag null"): {"null_premium_user"},
    ("users", "raw: stray id"): {"stray_id"},
    ("users", "quarantined: malformed"): {"broken_json"},
    ("users", "quarantined: wrong_type"): {"wrong_type"},
    ("users", "duplicate: older_row"): {"duplicate_row"},
    ("artists", "raw: -1 as id"): {"minus_one_id"},
    ("artists", "raw: null genres"): {"null_genres"},
    ("artists", "genres null"): {"null_genres"},
    ("artists", "quarantined: missing_id"): {"minus_one_id"},
    ("artists", "quarantined: malformed"): {"broken_json"},
    ("artists", "quarantined: wrong_type"): {"wrong_type"},
    ("artists", "duplicate: older_row"): {"duplicate_row"},
    ("tracks", "raw: -1 as id"): {"minus_one_id"},
    ("tracks", "raw: null id"): {"null_id"},
    ("tracks", "raw: null id_artist"): {"null_id_artist"},
    ("tracks", "artist null"): {"null_id_artist"},
    ("tracks", "artist unknown"): {"orphan_artist"},
    ("tracks", "tempo unknown"): {"zero_tempo", "zero_audio"},
    ("tracks", "audio features unknown"): {"zero_audio"},
    ("tracks", "louder than 0 dB"): {"loud"},
    ("tracks", "quarantined: missing_id"): {"minus_one_id", "null_id"},
    ("tracks", "quarantined: malformed"): {"broken_json"},
    ("tracks", "quarantined: wrong_type"): {"wrong_type"},
    ("tracks", "duplicate: older_row"): {"duplicate_row"},
    ("track_storage", "quarantined: malformed"): {"broken_json"},
    ("track_storage", "quarantined: wrong_type"): {"wrong_type"},
    ("track_storage", "duplicate: older_row"): {"duplicate_row"},
}
# Told of silver, so less what the same row lost besides, for which it was quarantined.
IN_SILVER = {"orphan_user": ("events", "user unknown"), "orphan_track": ("events", "track unknown")}
# Told across tables, so beside what follows from purchases that didn't come through.
FLAGS = {
    "premium_without_purchase": ("users", "premium without purchase"),
    "purchase_without_premium": ("users", "purchase without premium"),
}
TABLE_OF = {"events": "sessions"}


@pytest.fixture(scope="module")
def world(spark, tmp_path_factory):
    """The ingest of a dirty world: its report and lake, the ledger's entries, the lines of the delivery."""
    home = tmp_path_factory.mktemp("dirty_world")
    rates = [f"dirt.{name}={RATE}" for name in Dirt.model_fields]
    settings = load_settings("local", [f"home={home}", *(f"synthetic.{pair}" for pair in WORLD + rates)])
    raw = home / "raw"
    write_world(spark, settings, str(raw))
    lake = open_lake(settings, spark)
    report = ingest(spark, at(settings, raw), lake)
    ledger = [json.loads(line) for line in _lines(f"{truth_path(str(raw))}/ledger")]
    return report, lake, ledger, raw


def _lines(folder):
    return [line for part in sorted(Path(folder).glob("part-*")) for line in part.read_text().splitlines()]


def test_every_defect_is_counted_as_planted(world) -> None:
    report, _, ledger, _ = world
    planted = Counter((entry["entity"], entry["defect"]) for entry in ledger)
    found = {(f.entity, f.check): f.rows for f in report.findings}
    expected = {
        (entity, check): sum(planted[TABLE_OF.get(entity, entity), defect] for defect in defects)
        if (entity, check) != ("users", "several purchases")
        else planted["sessions", "second_purchase"]
        for (entity, check), defects in AS_PLANTED.items()
    }
    # all orphans of the storage bear one id: the first of them is a row, the others are older rows of it
    orphans = planted["track_storage", "orphan_storage"]
    expected["track_storage", "track unknown"] = 1
    expected["track_storage", "duplicate: older_row"] += orphans - 1
    assert {key: found.get(key, 0) for key in expected} == expected
    # every defect that can be asked for is among them, and was planted
    told = {defect for defects in AS_PLANTED.values() for defect in defects} | {"orphan_storage"}
    told |= IN_SILVER.keys() | FLAGS.keys()
    assert told == set(Dirt.model_fields) == {entry["defect"] for entry in ledger}


def test_orphans_are_those_planted_but_for_what_is_in_quarantine(world) -> None:
    report, lake, ledger, raw = world
    found = {(f.entity, f.check): f.rows for f in report.findings}
    kept_back = Counter(row["raw"] for row in rows_in(lake, "quarantine", entity="sessions"))
    for defect, key in IN_SILVER.items():
        there = {
            _line(raw, entry["part"], entry["line"]) for entry in ledger if entry["defect"] == defect
        }  # fmt: skip
        assert found[key] == sum(line not in kept_back for line in there), defect


def test_flags_that_contradict_the_purchases_are_those_planted(world) -> None:
    report, lake, ledger, raw = world
    found = {(f.entity, f.check): f.rows for f in report.findings}
    planted = defaultdict(set)
    for entry in ledger:
        if entry["defect"] in FLAGS:
            planted[entry["defect"]].add(json.loads(entry["was"])["user_id"])
    buyers = {r["user_id"] for r in rows_in(lake, "events", event_type="BUY_PREMIUM")}
    flags = {r["user_id"]: r["premium_user"] for r in rows_in(lake, "users")}
    true_buyers = {json.loads(line)["user_id"] for line in _clean_purchases(raw, ledger)}
    lost = true_buyers - buyers  # their purchase is in quarantine, or was given to a user whom nobody knows
    without = {user for user in lost if flags.get(user) is True}
    expected = {
        "premium_without_purchase": len(planted["premium_without_purchase"] | without),
        "purchase_without_premium": len(planted["purchase_without_premium"] - lost),
    }
    assert {name: found[key] for name, key in FLAGS.items()} == expected
    assert all(planted.values())


def _clean_purchases(raw, ledger):
    """Lines of purchases as they were before anything was planted."""
    # no `was`: a line that was added
    was = {(e["part"], e["line"]): e.get("was") for e in ledger if e["entity"] == "sessions"}
    for part in sorted((raw / "sessions").glob("part-*")):
        number = int(part.name.split("-")[1].split(".")[0])
        for at_line, text in enumerate(part.read_text().splitlines(), start=1):
            line = was.get((number, at_line), text)
            if line is not None and '"BUY_PREMIUM"' in line:
                yield line


def _line(raw, part, line):
    return _part(raw / "sessions" / f"part-{part:05d}.jsonl")[line - 1]


@cache
def _part(path):
    return path.read_text().splitlines()

"""Small odd deliveries, each a folder: what becomes of it, through the whole ingest."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.stage import ingest
from pozytywka_spark.lake import open_lake
from tests.worlds.deliveries import rows_in

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"

# rows of sessions: read, kept or repaired, quarantined by reason; notes on them
READ = {
    "json-array-lines": (20, 20, {}, {}),
    "bz2-top": (20, 20, {}, {}),
    "zst-top": (20, 20, {}, {}),
    "colon-file": (20, 20, {}, {}),
    "stale-crc": (20, 20, {}, {}),
    "epoch-ms": (690, 690, {}, {"timestamp_from_epoch": 690}),
    "tied-adverts": (690, 690, {}, {}),
    "stray-clock": (691, 690, {"in_the_future": 1}, {}),
}
# what the one line says; the other entities are taken in all the same
REFUSED = {
    "json-array": r"sessions\.json: it seems to be a JSON array .*jq -c",
    "json-pretty": r"sessions\.json: it seems to be pretty-printed JSON.*jq -c",
    "lfs-pointer": r"sessions\.jsonl: it seems to be a Git LFS pointer.*git lfs pull",
    "utf16": r"sessions\.jsonl: it seems to be text in UTF-16.*iconv",
    "cp1250": r"users\.jsonl: it seems to be text in an encoding other than UTF-8.*iconv",
    "zip-folder": r"p\.zip: it seems to be a zip archive; unzip it",
}


def case(name: str) -> Path:
    if not (CASES / name).is_dir():
        pytest.skip(f"the delivery {CASES / name} is not on this machine")
    return CASES / name


def settings_of(settings: Settings, folder: Path) -> Settings:
    raw = settings.raw.model_copy(update={"path": str(folder)})
    return settings.model_copy(update={"raw": raw})


@pytest.mark.parametrize("name", READ)
def test_what_is_certain_is_read(name: str, spark, settings: Settings) -> None:
    lake, (read, kept, quarantined, notes) = open_lake(settings, spark), READ[name]
    report = ingest(spark, settings_of(settings, case(name)), lake)
    (sessions,) = (each for each in report.entities if each.entity == "sessions")
    assert (sessions.read, sessions.kept + sessions.repaired) == (read, kept)
    assert sessions.duplicates == 0
    rows = rows_in(lake, "quarantine", entity="sessions") if quarantined else []
    assert Counter(row["reason"] for row in rows) == quarantined
    counted = rows_in(lake, "ingest_counts", entity="sessions", outcome="noted")
    told = {row["reason"]: row["rows"] for row in counted}
    assert {reason: told.get(reason) for reason in notes} == notes
    assert lake.rows("events").num_rows == kept


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_something_else_is_refused_whole_by_name(name: str, spark, settings: Settings) -> None:
    folder, lake = case(name), open_lake(settings, spark)
    with pytest.raises(DataError, match=REFUSED[name]) as caught:
        ingest(spark, settings_of(settings, folder), lake)
    assert "\n" not in str(caught.value)
    refused = "users" if name == "cp1250" else "sessions"
    table = {"sessions": "events", "users": "users"}[refused]
    assert not lake.exists(table)
    assert lake.exists("tracks")
    assert lake.exists("artists")


def test_epochs_and_iso_times_are_the_same_events(spark, settings: Settings, tmp_path: Path) -> None:
    lakes = []
    for name in ("epoch-ms", "tied-adverts"):
        lake = open_lake(settings.model_copy(update={"lake": _lake(settings, tmp_path / name)}), spark)
        ingest(spark, settings_of(settings, case(name)), lake)
        lakes.append(set(lake.rows("events", ["event_id"]).column(0).to_pylist()))
    assert lakes[0] == lakes[1]
    lines = (case("epoch-ms") / "sessions.jsonl").read_text().splitlines()
    assert len(lakes[0]) == len({tuple(json.loads(line).values()) for line in lines})


def _lake(settings: Settings, root: Path):
    return settings.lake.model_copy(update={"root": str(root)})

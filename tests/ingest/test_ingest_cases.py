"""Small odd deliveries, each a folder: what becomes of it, through the whole ingest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.stage import IngestReport, ingest
from pozytywka_spark.lake import Lake, open_lake
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


@pytest.fixture(scope="module")
def taken_in(spark, tmp_path_factory) -> Callable[[str], tuple[IngestReport, Lake]]:
    """Of a delivery: the report of its ingest, and the lake, which nobody changes."""

    @cache
    def of(name: str) -> tuple[IngestReport, Lake]:
        own = load_settings("local", [f"home={tmp_path_factory.mktemp(name)}"])
        lake = open_lake(own, spark)
        return ingest(spark, settings_of(own, case(name)), lake), lake

    return of


@pytest.mark.parametrize("name", READ)
def test_what_is_certain_is_read(name: str, taken_in) -> None:
    (report, lake), (read, kept, quarantined, notes) = taken_in(name), READ[name]
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


def test_epochs_and_iso_times_are_the_same_events(taken_in) -> None:
    epochs, iso = (
        set(taken_in(name)[1].rows("events", ["event_id"]).column(0).to_pylist())
        for name in ("epoch-ms", "tied-adverts")
    )
    assert epochs == iso
    lines = (case("epoch-ms") / "sessions.jsonl").read_text().splitlines()
    assert len(epochs) == len({tuple(json.loads(line).values()) for line in lines})

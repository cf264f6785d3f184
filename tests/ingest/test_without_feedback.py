"""A lake whose deliveries have no feedback is, byte for byte, what it was before there was such an entity."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.ingest import console, entity_reports, stage
from pozytywka_spark.ingest.intake import contracts, delivery
from pozytywka_spark.ingest.quality import findings
from pozytywka_spark.ingest.resolve import replay
from pozytywka_spark.ingest.validate import line_work
from pozytywka_spark.lake import open_lake
from tests.worlds.deliveries import at, sessions, users, write
from tests.worlds.planted import texts

NOW = datetime(2024, 1, 1, tzinfo=UTC)
FORMER = tuple(contract for contract in contracts.CONTRACTS if not contract.optional)
_RANDOM = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# when a commit or a file was made, in milliseconds
_TIMES = re.compile(r"(?<!\d)\d{13}(?!\d)")
# when a page was made, in the index of pages
_MINUTE = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}")


def _deliver(raw: Path) -> Path:
    rows = sessions(25, seed=4)
    rows[5] |= {"user_id": None}
    write(raw / "users.jsonl", [*users(), {"user_id": -1, "name": "Nobody", "stray": 1}])
    write(raw / "artists.jsonl", [{"id": "a", "name": "A", "genres": None, "more": 5}])
    write(raw / "sessions.jsonl", [*rows, *rows[:3], rows[8] | {"timestamp": "never"}, "{"])
    return raw


def _state(root: Path) -> Counter[str]:
    """Each file's place and content, with what is random or a time of the run taken out."""
    found: Counter[str] = Counter()
    for path in sorted(root.rglob("*")):
        place = _RANDOM.sub("*", str(path.relative_to(root)))
        if path.is_dir() or "_locks" in place:
            continue
        content = path.read_bytes()
        if path.suffix in (".json", ".html"):
            text = _RANDOM.sub("*", content.decode()).replace(str(root), "ROOT")
            text = _MINUTE.sub("", text) if path.name == "index.html" else text
            parts = re.split("[,{}]", _TIMES.sub("", text))  # the log's writer puts keys in any order
            content = ",".join(sorted(parts) if "_delta_log" in place else parts).encode()
        found[f"{place} {hashlib.sha256(content).hexdigest()}"] += 1
    return found


def _ingests(
    spark: SparkSession, settings: Settings, home: Path, raw: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[Counter[str], str]:
    """A lake's files after two ingests and a replay, and all that was printed."""
    lake = settings.lake.model_copy(update={"root": str(home / "lake")})
    own = at(settings.model_copy(update={"home": str(home), "lake": lake}), raw, at=NOW)
    for _ in range(2):
        console.show_ingest(stage.ingest(spark, own, open_lake(own, spark)))
    console.show_ingest(stage.replay(own, open_lake(own, spark)))
    return _state(home), capsys.readouterr().out.replace(str(home), "HOME")


def test_nothing_of_it_is_another(
    spark: SparkSession, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    raw = _deliver(tmp_path / "raw")
    found, told = _ingests(spark, settings, tmp_path / "now", raw, capsys)
    with monkeypatch.context() as patch:
        for module in (stage, findings, entity_reports, replay, line_work):
            patch.setattr(module, "CONTRACTS", FORMER)
        patch.setattr(delivery, "ENTITIES", tuple(contract.entity for contract in FORMER))
        patch.setattr(stage, "learn_names", lambda *_: None)
        patch.setattr(stage, "delete_old_texts", lambda *_: None)
        before, told_before = _ingests(spark, settings, tmp_path / "before", raw, capsys)
    assert found == before
    assert told == told_before
    assert not (tmp_path / "now" / "secrets").exists()
    assert "feedback" not in told


def test_with_feedback_all_other_tables_of_the_data_are_the_same(
    spark: SparkSession, settings: Settings, tmp_path: Path, capsys: Any
) -> None:
    without, _ = _ingests(spark, settings, tmp_path / "without", _deliver(tmp_path / "raw"), capsys)
    write(tmp_path / "raw" / "feedback.jsonl", texts(30))
    given, told = _ingests(spark, settings, tmp_path / "with", tmp_path / "raw", capsys)
    assert "feedback" in told
    silver = (
        "lake/users/",
        "lake/artists/",
        "lake/events/",
        "lake/data_span/",
        "lake/rescued/",
        "lake/quarantine/",
    )
    assert {each for each in given if each.startswith(silver)} == {
        each for each in without if each.startswith(silver)
    }
    more = {each.split("/")[1] for each in given - without if each.startswith("lake/")}
    assert more - {"_settings.json"} == {
        "_checkpoints", "feedback", "ingest_counts", "ingest_files", "ingests", "name_words", "quality",
    }  # fmt: skip
    assert json.dumps(sorted(without - given)).count("lake/feedback") == 0

"""The books of a dirty delivery beside a count in plain Python; and what lies in the future today."""

import json
import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from pozytywka_spark.ingest import stage
from pozytywka_spark.lake import open_lake
from pozytywka_spark.schemas import QUARANTINE, Table
from tests.worlds.deliveries import at, contents, rows_in, sessions, write

NOW = datetime(2023, 3, 1, tzinfo=UTC)
PLAY = {"track_id": "a", "event_type": "PLAY", "user_id": 1, "session_id": 1}
# what dirt makes of a line, and what it is then: a reason, or None where it changes nothing
DIRT = {
    "comma and object": (lambda line: f"{line}, {line}", "malformed"),
    "semicolon and object": (lambda line: f"{line};{line}", "malformed"),
    "object and object": (lambda line: line + line, "malformed"),
    "control character": (lambda line: f"{line}\x1e{line}", "malformed"),
    "brace": (lambda line: line + "}", "malformed"),
    "junk": (lambda line: line + ' "x":1}', "malformed"),
    "no-break space": (lambda line: line + "\xa0", "malformed"),
    "text before": (lambda line: "INFO " + line, "malformed"),
    "NaN": (lambda line: line.replace('"user_id": ', '"user_id": NaN, "x": '), "malformed"),
    "key twice": (lambda line: line[:-1] + ', "user_id": 5}', "duplicate_key"),
    "escaped key twice": (lambda line: line[:-1] + ', "user\\u005fid": null}', "duplicate_key"),
    "NUL": (lambda line: line.replace('"track_id": "', '"track_id": "\\u0000'), "bad_identifier"),
    "stray clock": (lambda line: line.replace('"2023-', '"2031-'), "in_the_future"),
    "text for a number": (
        lambda line: line.replace('"session_id": ', '"session_id": 1.5, "x": '),
        "wrong_type",
    ),
    "blank behind": (lambda line: line + " ", None),
    "tab behind": (lambda line: line + "\t", None),
    "tab before": (lambda line: "\t" + line, None),
    "blanks around a track": (lambda line: line.replace('"track_id": "t', '"track_id": " t'), None),
    "nothing": (lambda line: line, None),
}


@pytest.fixture(autouse=True)
def _no_page(monkeypatch):
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))


def test_the_books_count_every_line_once(spark, settings, tmp_path) -> None:
    dice = random.Random(5)
    lines, expected = [], Counter()
    seen, rejected = set(), set()
    for row in sessions(120, seed=3):
        how = dice.choice([*DIRT, *["nothing"] * 20]) if row["track_id"] else "nothing"
        make, reason = DIRT[how]
        copies = dice.choice([1, 1, 1, 1, 2])
        line = make(json.dumps(row))
        lines += [line] * copies
        # an event is what it says, a rejected line is its text
        what = line if reason else json.dumps(row)
        rejected |= {line} if reason else set()
        fate = ("quarantined", reason) if reason else ("kept", None)
        again = ("duplicate", "quarantined_before" if reason else "same_row")
        for _ in range(copies):
            expected[again if what in seen else fate] += 1
            seen.add(what)
    raw, lake = tmp_path / "raw", open_lake(settings, spark)
    write(raw / "sessions.jsonl", lines)
    report = stage.ingest(spark, at(settings, raw, at=NOW), lake)
    found = Counter()
    for row in rows_in(lake, "ingest_counts"):
        found[row["outcome"], row["reason"]] += row["rows"]
    assert {fate: rows for fate, rows in found.items() if fate[0] != "noted"} == dict(expected)
    assert report.entities[-1].read == len(lines)
    # as they were delivered, so that nothing is lost
    assert {row["raw"] for row in rows_in(lake, "quarantine")} == rejected
    assert len({reason for outcome, reason in expected if outcome == "quarantined"}) == 5
    # a rule always says what failed
    rules = {row["rule"] for row in lake.read("quarantine").where("reason <> 'malformed'").collect()}
    limit = "timestamp: not after 2023-03-02T00:00:00, the time of the ingest and ingest.future_days"
    assert rules == {
        "each key once; twice: user_id",
        "track_id: no NUL in an identifier",
        "session_id",
        limit,
    }


def test_what_lies_in_the_future_comes_back_once_its_time_has_come(spark, settings, tmp_path) -> None:
    times = [
        "2023-02-01T00:00:00",
        "2023-03-02T00:00:00",
        "2023-03-02T00:00:00.000001",
        "2023-03-02T01:00:00Z",
    ]
    raw, lake = tmp_path / "raw", open_lake(settings, spark)
    write(raw / "sessions.jsonl", [PLAY | {"timestamp": time} for time in times])
    report = stage.ingest(spark, at(settings, raw, at=NOW), lake)
    assert (report.entities[-1].kept, report.entities[-1].quarantined) == (2, 2)
    assert {row["reason"] for row in rows_in(lake, "quarantine")} == {"in_the_future"}
    later = at(settings, raw, at=NOW, future_days=1.03)  # three quarters of an hour more
    assert stage.replay(later, lake).entities[-1].replayed == 1
    assert stage.replay(at(settings, raw), lake).entities[-1].replayed == 1  # by today's clock
    assert contents(lake, "quarantine") == []
    assert len(contents(lake, "events")) == len(times)
    assert stage.ingest(spark, at(settings, raw), lake).ingest_id is None


def test_a_quarantine_of_an_older_release_is_added_to_and_replayed(spark, settings, tmp_path) -> None:
    """Its table lacks a column that was declared since."""
    older = Table(QUARANTINE.name, QUARANTINE.schema[:-1], QUARANTINE.keys, QUARANTINE.partition_by)
    raw, lake = tmp_path / "raw", open_lake(settings, spark)
    good = json.dumps({**PLAY, "timestamp": "2023-02-01T00:00:00"})
    old = {"quarantine_id": "q", "entity": "sessions", "raw": good, "source_file": "f", "source_order": 1}
    lake.append(spark.createDataFrame([old], older.schema), older)
    (raw / "sessions.jsonl").parent.mkdir()
    (raw / "sessions.jsonl").write_text(f"{good.replace('02-01', '02-02')}\noops\n")
    report = stage.ingest(spark, at(settings, raw, at=NOW), lake)
    assert (report.entities[-1].kept, report.entities[-1].quarantined) == (1, 1)
    assert {row["raw"] for row in rows_in(lake, "quarantine")} == {good, "oops"}
    assert stage.replay(at(settings, raw, at=NOW), lake).entities[-1].replayed == 1
    assert {row["raw"] for row in rows_in(lake, "quarantine")} == {"oops"}

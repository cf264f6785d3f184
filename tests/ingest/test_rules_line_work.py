"""Lines as tasks judge them, be they of files, of Spark or of quarantine: what is staged, what is said."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark import schemas
from pozytywka_spark.ingest.intake import content_hash
from pozytywka_spark.ingest.intake.reader import parts_of, read_part
from pozytywka_spark.ingest.parcels import (
    catalogue_rows,
)
from pozytywka_spark.ingest.validate.file_stats import FileStats
from pozytywka_spark.ingest.validate.line_work import ReplayWork, by_source
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.storage.filesystem import Storage
from tests.in_memory import MemoryFiles
from tests.ingest.odd_lines import JUDGING, PLAY, mutants
from tests.ingest.pass_one import (
    ANY_TIME,
    NAMELESS,
    SOUND,
    cut,
    digest,
    losses_of,
    rows_of,
    run,
    run_over,
    surveyed,
    work,
)


def test_no_name_and_no_street_is_staged(tmp_path: Path) -> None:
    row = {"user_id": 1, "name": "Zdzisława Kowalska", "city": "Radom", "street": "Ogrodowa",
           "premium_user": True, "favourite_genres": []}  # fmt: skip
    lines = [
        json.dumps(one, ensure_ascii=False)
        for one in (row, row | {"user_id": "x"}, row | {"e-mail": "Kowalska"})
    ]
    (file := tmp_path / "users.jsonl").write_text("\n".join([*lines, lines[0][:40]]))
    found, stats = run_over(file, "users")
    assert stats.rows == 4
    told = str([frame.rows() for frame in rows_of(found).values()]) + str(stats)
    assert "Radom" in told
    assert "Kowalska" not in told
    assert "Ogrodowa" not in told


def test_bytes_that_are_not_utf8_come_as_they_are(tmp_path: Path) -> None:
    (file := tmp_path / "sessions.jsonl").write_bytes(b"{\xff}")
    found, _ = run_over(file)
    row = rows_of(found)["rejected"].row(0, named=True)
    assert (row["reason"], row["rule"], row["raw"]) == ("invalid_utf8", "UTF-8; byte 2 is not", "{\ufffd}")


def test_the_unit_of_a_file_goes_with_its_lines_into_quarantine_and_out(tmp_path: Path) -> None:
    line = json.dumps(PLAY | {"timestamp": 1672912800, "event_type": "NAP"}).encode()
    (file := tmp_path / "sessions.jsonl").write_bytes(line)
    for unit, reason in (("s", "unknown_event_type"), (None, "wrong_type")):
        found, _, _ = run(parts_of([surveyed(file, time_unit=unit)], 1))
        row = rows_of(found)["rejected"].row(0, named=True)
        assert (row["reason"], row["time_unit"]) == (reason, unit)


def test_lines_that_spark_read_end_as_those_that_tasks_read(tmp_path: Path) -> None:
    texts = [line.encode("utf-8", "surrogatepass") for line in mutants(500)]
    (file := tmp_path / "sessions.jsonl").write_bytes(b"\n".join(texts))
    wanted, stats, _ = run(parts_of([surveyed(file)], 1))
    found = MemoryFiles()
    told = list(work([str(file)]).judge_lines(put_down(cut(file.read_bytes()), str(file), found), found))
    assert [FileStats.of_result(one["stats"]) for one in told] == list(stats.values())
    for kind, frame in rows_of(found).items():
        assert_frame_equal(frame, rows_of(wanted)[kind])


def put_down(lines: list[tuple[bytes, int]], path: str, files: MemoryFiles) -> list[DataFile]:
    columns = {"value": pl.Binary, "path": pl.String, "source_order": pl.Int64, "time_unit": pl.String}
    rows = pl.DataFrame([(text, path, order, None) for text, order in lines], columns, orient="row")
    return [files.put_file(some, {}) for some in rows.iter_slices(97)]


def test_quarantined_rows_are_judged_anew_as_they_were_named(tmp_path: Path) -> None:
    now = json.dumps(PLAY | {"timestamp": 1672722595})
    rows = [
        ("q1", "unknown_user", json.dumps(PLAY | {"user_id": None}), "f2", 5, None, 1),
        ("q2", "wrong_type", now, "f1", 6, "s", 1),
        ("q3", "wrong_type", now, "f1", 7, None, 2),
        ("q4", "unknown_track", json.dumps(PLAY), "f2", 8, None, 2),
    ]
    names = ("quarantine_id", "reason", "raw", "source_file", "source_order", "time_unit", "ingest_id")
    frame = pl.DataFrame(rows, schema=names, orient="row").with_columns(rule=pl.lit("x"), batch=pl.lit(1))
    files = MemoryFiles()
    mine = files.put_file(frame, {"entity": "sessions"})
    others = files.put_file(frame.with_columns(raw=pl.lit("{")), {"entity": "users"})
    again = ReplayWork("sessions", ANY_TIME, 1, ("f1", "f2"), losses_of)
    told = {one["source"]: FileStats.of_result(one["stats"]) for one in again([mine, others], files)}
    assert {source: (stats.rows, stats.rejected, stats.incomplete) for source, stats in told.items()} == {
        0: (2, 1, 0),
        1: (2, 0, 1),
    }
    found = rows_of(files)
    places = ("line_id", "source", "source_order")
    assert found["complete"].select(places).rows() == [("q2", 0, 6), ("q4", 1, 8)]
    assert found["incomplete"].select(*places, "raw").rows() == [("q1", 1, 5, rows[0][2])]
    assert found["rejected"].select(*places, "reason", "time_unit").rows() == [
        ("q3", 0, 7, "wrong_type", None)
    ]
    some = MemoryFiles()
    mine = some.put_file(frame, {"entity": "sessions"})
    chance = ReplayWork(
        "sessions", ANY_TIME, 1, ("f1", "f2"), losses_of, ("unknown_user", "unknown_track"), but_of=2
    )
    assert [one["source"] for one in chance([mine], some)] == [1]
    assert {kind: frame["line_id"].to_list() for kind, frame in rows_of(some).items()} == {
        "incomplete": ["q1"]
    }


@pytest.mark.thorough
def test_what_tasks_told_is_put_together_by_file(tmp_path: Path) -> None:
    data = (SOUND + b"\n") * 80_000 + NAMELESS
    (file := tmp_path / "sessions.jsonl").write_bytes(data)
    (small := tmp_path / "small.jsonl").write_bytes(SOUND)
    parts = parts_of([surveyed(file), surveyed(small)], 9)
    one = work([str(file), str(small)])
    apart = [told for part in parts for told in one([part], MemoryFiles())]
    assert by_source(apart) == by_source(one(parts, MemoryFiles()))
    (many, content_), (few, _) = (by_source(apart)[source] for source in (0, 1))
    assert (many.rows, many.incomplete, many.months, few.rows) == (80_001, 1, {"2023-01-01": 80_000}, 1)
    hashes = [digest(data[at : at + content_hash.BLOCK]) for at in range(0, len(data), content_hash.BLOCK)]
    assert content_ == digest("".join(hashes).encode())
    assert by_source([{"source": 3, "stats": few.as_result()}]) == {3: (few, None)}


def test_work_can_be_sent_to_a_task() -> None:
    for one in (work(["/d"]), ReplayWork("users", JUDGING, 1, (), losses_of)):
        assert pickle.loads(pickle.dumps(one)) == one


def test_a_file_that_has_gone_is_named(tmp_path: Path) -> None:
    (file := tmp_path / "sessions.jsonl").write_bytes(SOUND)
    part = parts_of([surveyed(file)], 1)[0]
    file.unlink()
    with pytest.raises(ValueError, match=f"{file}: it has gone since it was listed"):
        list(read_part(Storage(), part))


def test_a_catalogue_row_has_the_columns_of_its_table() -> None:
    assert catalogue_rows(schemas.ARTISTS) == pl.Schema(
        {"id": pl.String, "name": pl.String, "genres": pl.List(pl.String), "rescued": pl.String,
         "line_id": pl.String, "source": pl.Int32, "source_order": pl.Int64}
    )  # fmt: skip

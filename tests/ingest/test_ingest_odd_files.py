"""Deliveries of odd files: what can be read is, beside a count in plain Python; what can't is named."""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest import stage
from pozytywka_spark.ingest.intake import reader, survey
from pozytywka_spark.ingest.intake.contracts import SESSIONS
from pozytywka_spark.jobs import ingest as job
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.storage.listing import list_local
from tests.in_memory import MemoryTasks
from tests.worlds.deliveries import at, contents, rows_in, sessions, users, write


def zstd(data: bytes) -> bytes:
    return pa.Codec("zstd").compress(data, asbytes=True)


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def odd_delivery(raw: Path, parts: list[list[str]]) -> dict[str, int]:
    """Each part of the rows in another kind of file; rows by path, counted as they are dealt out."""
    folder, rows = raw / "sessions", {}

    def deal(
        name: str, number: int, before: bytes = b"", between: bytes = b"\n", after: bytes = b"\n", pack=bytes
    ):
        text = before + between.join(line.encode() for line in parts[number]) + after
        rows[str(put(raw / name, pack(text)))] = len(parts[number])

    deal("sessions/part-2023-01-05T10:00:00.jsonl", 0)
    deal("sessions/beside.jsonl", 1)
    put(folder / ".beside.jsonl.crc", b"crc\x00\x00\x00\x02\x00\x00\x00\x00\x00")
    deal("sessions/not packed.jsonl.gz", 2)
    deal("sessions/packed", 3, pack=gzip.compress)
    deal("sessions/a/b=1/c d%20é+[1]{x}.bz2", 4, pack=bz2.compress)
    deal("sessions.jsonl.zst", 5, pack=zstd)
    deal("sessions.json", 6, b"[\n", b",\n", b"\n]\n")
    deal("sessions/array.json", 7, b"\xef\xbb\xbf[\r\n", b",\r\n", b"\r\n]\r\n")
    deal("sessions/array blank", 8, b"\n[ ", b" ,\n\n", b"]\n\n")
    deal("sessions/array first.gz", 9, b"[", b"\n,", b"\n]", pack=gzip.compress)
    deal("sessions/old mac.jsonl", 10, between=b"\r", after=b"\r")
    deal("sessions/no end.zst", 11, after=b"", pack=lambda data: zstd(data[:500]) + zstd(data[500:]))
    put(folder / "none.json", b"[]\n")
    put(folder / "none.gz", gzip.compress(b""))
    put(folder / "_SUCCESS", b"no row")
    put(folder / "_started" / "x.jsonl", b"no row")
    put(folder / ".hidden.jsonl", b"no row")
    elsewhere = put(raw.parent / "elsewhere" / "linked.jsonl", "\n".join(parts[12]).encode())
    (folder / "link").symlink_to(elsewhere.parent)
    (folder / "round").symlink_to(folder)
    (folder / "to nothing").symlink_to(raw / "nothing")
    rows[str(folder / "link" / "linked.jsonl")] = len(parts[12])
    return rows | {str(folder / "none.json"): 0, str(folder / "none.gz"): 0}


def test_every_kind_of_file_is_read_once(spark, settings, tmp_path, monkeypatch) -> None:
    """In parts of some lines; the second time nothing is new."""
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))
    monkeypatch.setattr(reader, "SPLIT_BYTES", 3000)
    lines = [json.dumps(row) for row in sessions(60, seed=21)]
    raw, lake = tmp_path / "raw ż {1}", open_lake(settings, spark)
    expected = odd_delivery(raw, [lines[start::13] for start in range(13)])
    report = stage.ingest(spark, at(settings, raw), lake)
    taken = report.entities[-1]
    assert (taken.read, taken.kept, taken.duplicates, taken.quarantined) == (len(lines), len(lines), 0, 0)
    files = lake.read("ingest_files").select("path", "rows").collect()
    assert dict(map(tuple, files)) == expected
    assert len(files) == len(expected)
    found = lake.read("events").select("session_id", "track_id", F.unix_micros("event_time")).collect()
    rows = map(json.loads, lines)
    assert sorted((row[0], row[1] or "") for row in found) == sorted(
        (row["session_id"], row["track_id"]) for row in rows
    )
    assert stage.ingest(spark, at(settings, raw), lake).ingest_id is None


def test_places_and_units_of_files_as_a_batch_has_them(tmp_path, monkeypatch) -> None:
    """The unit holds only where the whole file has it."""
    monkeypatch.setattr(reader, "SPLIT_BYTES", 300)
    row = sessions(1)[0]
    moments = [1679591881000 + 7 * n for n in range(20)]
    texts = {
        "ms": [row | {"timestamp": moment} for moment in moments],
        "us": [row | {"timestamp": f"{moment}000"} for moment in moments],
        "mixed": [row | {"timestamp": moment} for moment in moments] + [row],
        "iso": [row] * 3,
    }
    for name, rows in texts.items():
        write(tmp_path / name, rows)
    array = "[\n" + ",\n".join(json.dumps(row | {"timestamp": moment // 1000}) for moment in moments) + "\n]"
    put(tmp_path / "s.gz", gzip.compress(array.encode()))
    files = survey.survey(MemoryTasks(), list_local(str(tmp_path)), Storage(), SESSIONS, refuse=True)
    assert {Path(each.file.path).name: each.time_unit for each in files} == {
        "ms": "ms", "us": "us", "mixed": None, "iso": None, "s.gz": "s",
    }  # fmt: skip
    for each in files:
        data = Path(each.file.path).read_bytes() if each.codec == "plain" else array.encode()
        parts = reader.parts_of([each], 2)
        found = [lines for part in parts for lines in reader.lines_of(Storage(), part)]
        texts = [text for lines in found for text in lines.texts]
        places = [place for lines in found for place in lines.offsets]
        assert places == sorted(set(places))
        assert all(data[place:].startswith(text) for place, text in zip(places, texts, strict=True))
        assert len([text for text in texts if text.strip()]) == data.count(b"}")


def arguments(spark, home, raw, *more):
    """The running session's own settings, for a session in use can't change them."""
    conf = ("spark.driver_memory=3g", "spark.master=local[2]", "spark.shuffle_partitions=2")
    keep = f"spark.conf.spark.sql.warehouse.dir={spark.conf.get('spark.sql.warehouse.dir')}"
    pairs = [f"home={home}", f"raw.path={raw}", *conf, keep, *more]
    return [part for pair in pairs for part in ("--set", pair)]


def test_wrong_files_are_refused_whole_and_other_entities_go_on(
    spark, settings, tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))
    raw, rows = tmp_path / "raw", sessions(8, seed=3)
    artists = [{"id": f"a{n}", "name": f"Band {n}", "genres": ["rock"]} for n in range(6)]
    storage = [{"track_id": f"t{n}", "storage_class": "SLOW", "daily_cost": 0.1} for n in range(6)]
    write(raw / "users.jsonl", users())
    put(raw / "artists.jsonl", write(tmp_path / "artists", artists).read_text().encode("utf-16"))
    write(raw / "track_storage" / "good.jsonl", storage[:3])
    put(raw / "track_storage" / "more.jsonl", b"PK\x03\x04" + bytes(60))
    put(
        raw / "track_storage" / "pointer",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    )
    broken = write(raw / "sessions" / "1.jsonl", [*rows[:4], *(json.dumps(row)[:-9] for row in rows[4:10])])
    write(raw / "sessions" / "2.jsonl", rows[10:])

    assert job.main(arguments(spark, tmp_path, raw)) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    for part in (
        f"{raw}/artists.jsonl: it seems to be text in UTF-16; turn it into UTF-8: iconv -f utf-16 -t utf-8; "
        "nothing of artists was taken in; ",
        f"{raw}/track_storage/more.jsonl: it seems to be a zip archive; unzip it and deliver the files in "
        f"it; {raw}/track_storage/pointer: it seems to be a Git LFS pointer, not the file itself; fetch the "
        "content with git lfs pull; nothing of track_storage was taken in; ",
        f"{broken}: 6 of 10 rows (60%) are unusable, 6 of them malformed",
        "nothing of this batch of sessions was taken in: deliver the right file, or take what is usable and "
        "quarantine the rest with a higher ingest.accept_bad_share (now 0.5)",
    ):
        assert part in told
    lake = open_lake(settings, spark)
    assert len(contents(lake, "users")) == len(users())
    for table in ("artists", "track_storage", "events", "quarantine"):
        assert contents(lake, table) == []
    for table in ("ingest_files", "ingest_counts"):
        assert {row["entity"] for row in rows_in(lake, table)} == {"users"}

    # as the line said; and of the sessions, what is usable
    write(raw / "artists.jsonl", artists)
    write(raw / "track_storage" / "more.jsonl", storage[3:])
    (raw / "track_storage" / "pointer").unlink()
    assert job.main(arguments(spark, tmp_path, raw, "ingest.accept_bad_share=0.6")) == 0
    assert [len(contents(lake, table)) for table in ("artists", "track_storage")] == [6, 6]
    assert len(contents(lake, "events")) == len(rows) - 6
    assert [row["reason"] for row in rows_in(lake, "quarantine")] == ["malformed"] * 6


class BrokenError(Exception):
    pass


def test_what_only_spark_reaches_is_read_by_spark(spark, settings, tmp_path, monkeypatch) -> None:
    """Its own listing, lines and plans; cut short before its last write, a batch keeps its files."""
    monkeypatch.setattr(stage, "report_on", lambda *_: ((), None))
    monkeypatch.setattr(Storage, "opens", lambda *_: False)
    rows, raw, lake = sessions(10, seed=9), tmp_path / "raw [1]", open_lake(settings, spark)
    write(raw / "sessions" / "1 é.jsonl", rows[:20])
    packed = gzip.compress(write(tmp_path / "plain", rows[20:30]).read_bytes())
    put(raw / "sessions" / "2.jsonl.gz", packed)
    real = stage.ingest_log.record_files

    def broken(*_: object) -> None:
        raise BrokenError

    monkeypatch.setattr(stage.ingest_log, "record_files", broken)
    with pytest.raises(BrokenError):
        stage.ingest(spark, at(settings, raw), lake)
    monkeypatch.setattr(stage.ingest_log, "record_files", real)
    write(raw / "sessions" / "3.jsonl", rows[30:])
    taken = stage.ingest(spark, at(settings, raw), lake).entities[-1]
    assert (taken.read, taken.kept, taken.duplicates) == (len(rows), len(rows), 0)
    assert {row["batch"] for row in rows_in(lake, "ingest_files")} == {0, 1}
    put(raw / "sessions" / "4.jsonl.gz", packed[:-20])
    with pytest.raises(DataError, match=r"sessions/4\.jsonl\.gz: .*deliver the file again"):
        stage.ingest(spark, at(settings, raw), lake)

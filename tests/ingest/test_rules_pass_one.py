"""Pass one as a task does it: ranges of files in, parcels and counts out; no session."""

from __future__ import annotations

import bz2
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pozytywka_spark.ingest.intake import content_hash, reader
from pozytywka_spark.ingest.intake.contracts import CONTRACTS
from pozytywka_spark.ingest.intake.reader import Part, parts_of
from pozytywka_spark.ingest.parcels import (
    COMPLETE_ROWS,
    INCOMPLETE_ROWS,
    LOST_ROWS,
    REJECTED_ROWS,
    catalogue_rows,
)
from pozytywka_spark.ingest.validate import judge_lines, row_buffer
from pozytywka_spark.ingest.validate.file_stats import FileStats
from pozytywka_spark.ingest.validate.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from tests.in_memory import MemoryFiles
from tests.ingest.odd_lines import ADVERT, JUDGING, PLAY, mutants
from tests.ingest.pass_one import (
    NAMELESS,
    SOUND,
    by_rules,
    cut,
    digest,
    rows_of,
    run,
    run_over,
    surveyed,
)

PIECES = st.lists(
    st.sampled_from(
        [SOUND, json.dumps(ADVERT).encode(), NAMELESS, b"{", b"  ", b"\xff", b"\n", b"\n", b"\r\n", b"\r"]
    ),
    min_size=1,
    max_size=14,
)


@pytest.mark.thorough
@given(PIECES, st.integers(1, 300), st.integers(1, 5), st.integers(1, 900), st.integers(1, 6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_however_a_file_is_cut_its_rows_and_places_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], block: int, blocks: int, look: int,
    rows: int,
) -> None:  # fmt: skip
    data, file = b"".join(pieces), tmp_path / "sessions.jsonl"
    file.write_bytes(data)
    for module in (content_hash, reader):
        monkeypatch.setattr(module, "BLOCK", block)
    monkeypatch.setattr(row_buffer, "_LOOK", look)
    monkeypatch.setattr(row_buffer, "_ROWS", rows)
    monkeypatch.setattr(row_buffer, "SLICE", rows)
    monkeypatch.setattr(judge_lines, "_AS_TUPLES", rows)
    of = surveyed(file)
    step = block * blocks
    parts = [Part(of, at, min(at + step, len(data))) for at in range(0, len(data), step)]
    # as one task, and as a task a part
    together = run(parts)
    apart = [run([part]) for part in parts]
    wanted, told = by_rules(cut(data), path=str(file))
    for found, stats in (
        ([together[0]], [together[1]]),
        ([one[0] for one in apart], [one[1] for one in apart]),
    ):
        mine = merged(found)
        assert mine.keys() == wanted.keys()
        for kind, frame in mine.items():
            order = ["source_order"] if kind != "lost" else frame.columns
            assert_frame_equal(frame.sort(order), wanted[kind].sort(order))
        assert sum((one.get(str(file), FileStats()) for one in stats), FileStats()) == told
    hashes = {int(at): one for each in apart for at, one in each[2][str(file)].items()}
    assert hashes == {n: digest(data[at : at + block]) for n, at in enumerate(range(0, len(data), block))}
    assert together[2] == {str(file): {str(at): one for at, one in hashes.items()}}


def merged(of: list[MemoryFiles]) -> dict[str, pl.DataFrame]:
    found: dict[str, list[pl.DataFrame]] = {}
    for files in of:
        for kind, rows in rows_of(files).items():
            found.setdefault(kind, []).append(rows)
    return {kind: pl.concat(frames) for kind, frames in found.items()}


def test_ranges_begin_where_blocks_do(tmp_path: Path) -> None:
    (file := tmp_path / "sessions.jsonl").write_bytes(bytes(3 * content_hash.BLOCK + 5))
    for slots, number in ((1, 1), (2, 2), (4, 4), (99, 4)):
        parts = parts_of([surveyed(file)], slots)
        assert len(parts) == number
        assert all(part.start % content_hash.BLOCK == 0 for part in parts)
        assert sum(part.size for part in parts) == 3 * content_hash.BLOCK + 5


PACKED = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "zstd": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


@pytest.mark.parametrize("codec", PACKED)
def test_of_a_packed_file_the_bytes_as_stored_are_hashed(tmp_path: Path, codec: str) -> None:
    text = b"\n".join(line.encode("utf-8", "surrogatepass") for line in mutants(300))
    (file := tmp_path / "sessions.jsonl.x").write_bytes(
        packed := PACKED[codec](text) + PACKED[codec](b"\n{}")
    )
    found, stats, blocks = run(parts_of([surveyed(file, codec=codec)], 4))
    wanted, told = by_rules(cut(text + b"\n{}"), path=str(file))
    assert_frame_equal(rows_of(found)["complete"], wanted["complete"].sort("source_order"))
    assert stats == {str(file): told}
    assert blocks == {str(file): {"0": digest(packed)}}


def test_an_array_is_read_as_lines(tmp_path: Path) -> None:
    data = b"[\n" + SOUND + b",\n" + NAMELESS + b",\n \n" + SOUND + b"\n]\n"
    (file := tmp_path / "sessions.json").write_bytes(data)
    found, stats, blocks = run(parts_of([surveyed(file, array=True)], 4))
    assert rows_of(found)["complete"]["source_order"].to_list() == [2, data.rindex(SOUND)]
    assert rows_of(found)["incomplete"]["source_order"].to_list() == [data.index(NAMELESS)]
    assert (stats[str(file)].rows, blocks[str(file)]) == (3, {"0": digest(data)})


@pytest.mark.thorough
def test_many_small_files_make_few_parcels_and_each_is_told_apart(tmp_path: Path) -> None:
    texts = {}
    for number in range(200):
        file = tmp_path / f"part-{number:03}.jsonl"
        # a last line without its end, now and then
        lines = [SOUND] * (number % 3) + [NAMELESS] * (number % 2) + [b"{"] * (number % 5 == 0)
        file.write_bytes(texts.setdefault(str(file), b"\n".join(lines) + b"\n" * (number % 7 != 0)))
    found, stats, blocks = run(parts_of([surveyed(Path(path)) for path in texts], 2))
    assert sorted(parcel.kind for parcel in found.parcels) == ["complete", "incomplete", "lost", "rejected"]
    rows = merged([found])
    not_empty = {path: text for path, text in texts.items() if text}
    for source, (path, text) in enumerate(not_empty.items()):
        wanted, told = by_rules(cut(text), path=path)
        assert stats[path] == told
        assert blocks[path] == {"0": digest(text)}
        for kind in ("complete", "incomplete", "rejected"):
            mine = rows[kind].filter(pl.col("source") == source).sort("source_order").drop("source")
            if kind in wanted:
                assert_frame_equal(mine, wanted[kind].drop("source"))
            else:
                assert mine.is_empty()


def test_complete_events_lie_by_month_and_bucket(tmp_path: Path) -> None:
    rows = [
        PLAY | {"user_id": user, "timestamp": f"2023-0{month}-01T00:00:00"}
        for user in range(60)
        for month in (1, 2)
    ]
    (file := tmp_path / "sessions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found, stats = run_over(file, buckets=4)
    parcels = found.staged("complete")
    assert parcels.keys() == {
        (month, bucket) for month in ("2023-01-01", "2023-02-01") for bucket in range(4)
    }
    for (month, bucket), frame in parcels.items():
        assert frame.schema == COMPLETE_ROWS
        assert {user * 1_812_433_253 % 2_147_483_647 % 4 for user in frame["user_id"]} == {bucket}
        assert {str(time)[:7] for time in frame["event_time"]} == {month[:7]}
    assert stats.months == {"2023-01-01": 60, "2023-02-01": 60}


def test_stats_tell_what_the_rules_say(tmp_path: Path) -> None:
    lines = [*mutants(2000), json.dumps({"a": 1}), json.dumps(PLAY | {"x": 1, "y": [2]})]
    texts = [line.encode("utf-8", "surrogatepass") for line in lines]
    (file := tmp_path / "sessions.jsonl").write_bytes(b"\n".join(texts) + b"\n")
    said = [
        judge_line(line, ENTITIES["sessions"], JUDGING)
        for line, _ in cut(file.read_bytes())
        if line.strip(b" ")
    ]
    found, stats = run_over(file, judging=JUDGING)
    rejected = [one for one in said if one.reason]
    passing = [one for one in said if not one.reason]
    months = [month_of(one.columns[0]) for one in passing]
    assert (stats.rows, stats.rejected) == (len(said), len(rejected))
    assert stats.unreadable == sum(one.reason in ("malformed", "too_long", "invalid_utf8") for one in said)
    assert stats.reasons == Counter(one.reason for one in rejected)
    assert stats.rules == {
        reason: min(one.rule for one in rejected if one.reason == reason) for reason in stats.reasons
    }
    assert (stats.rescued, stats.noted) == (
        sum(bool(s.rescued) for s in said),
        sum(bool(s.notes) for s in said),
    )
    assert stats.notes == Counter(note for one in said for note in one.notes or ())
    assert stats.absent == Counter(name for one in said for name in one.absent or ())
    assert stats.lacks("session_id") == sum("session_id" in (one.absent or ()) for one in said)
    # complete ones need no text, in case they end in quarantine
    assert stats.incomplete == sum(one.raw is not None for one in passing)
    assert stats.months == Counter(m for m, one in zip(months, passing, strict=True) if one.raw is None)
    assert (stats.first_month, stats.last_month) == (min(months), max(months))
    assert FileStats.of_result(json.loads(json.dumps(stats.as_result()))) == stats
    assert found.parcels


def month_of(micros: int) -> str:
    return pl.select(pl.lit(micros).cast(pl.Datetime("us"))).item().strftime("%Y-%m-01")


ODD = ["{", "x" * 5000, '{"a": 1}', '{"a": 1, "a": 2}', "\t", "null", '{"\\ud800": "\\udfff"}']
LINES: dict[str, list[str]] = {
    "sessions": [json.dumps(row) for row in (PLAY, ADVERT, PLAY | {"user_id": None, "z": 1})],
    "users": [json.dumps({"user_id": n, "name": "Zdzisława", "city": "Radom", "street": "s",
                          "premium_user": n == 1, "favourite_genres": genres})
              for n, genres in enumerate((["a"], [], None, [None, 1, "a"]))],
    "artists": ['{"id": "ł", "name": null, "genres": []}', '{"id": " a", "name": "\\u0000", "genres": null}'],
    "tracks": ['{"id": "a", "release_date": "2011-05", "explicit": 1, "energy": 1, "tempo": 99.5, "key": -1}',
               '{"id": "a", "release_date": "1812", "explicit": 0, "duration_ms": 5000000}'],
    "track_storage": ['{"track_id": "a", "storage_class": "slow", "daily_cost": 0}'],
    "feedback": ['{"feedback_id": "a", "timestamp": "2023-01-03T05:14:02", "user_id": 5, "channel": "NPS", '
                 '"text": "ring 600 700 800", "score": 3, "queue": "adverts", "spam": false}',
                 '{"feedback_id": "b", "timestamp": "2023-01-03T05:14:02", "user_id": 5, "channel": "nps", '
                 '"text": "Kowalska", "score": 11, "queue": null, "spam": null}'],
}  # fmt: skip


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.entity)
def test_each_row_is_what_the_rules_say_of_its_line(tmp_path: Path, contract: Any) -> None:
    entity, rules = contract.entity, ENTITIES[contract.entity]
    lines = [line.encode() for line in (*LINES[entity], *ODD)]
    (file := tmp_path / "x.jsonl").write_bytes(b"\n".join(lines))
    found, _ = run_over(file, entity, judging=Judging(4096))
    at, wanted = 0, {}
    for line in lines:
        wanted[at] = judge_line(line, rules, Judging(4096))
        at += len(line) + 1
    rows = rows_of(found)
    schemas_of = {"complete": COMPLETE_ROWS, "incomplete": INCOMPLETE_ROWS, "rejected": REJECTED_ROWS,
                  "lost": LOST_ROWS}  # fmt: skip
    if entity != "sessions":
        schemas_of["rows"] = catalogue_rows(contract.table)
    seen = []
    for kind, frame in rows.items():
        assert frame.schema == schemas_of[kind]
        if kind == "lost":
            continue
        for row in frame.iter_rows(named=True):
            said = wanted[row["source_order"]]
            seen.append(row["source_order"])
            fields = [name for name in ("reason", "rule", "raw", "rescued", "line_id") if name in row]
            assert [row[name] for name in fields] == [getattr(said, name) for name in fields]
            if kind != "rejected":
                values = dict(zip(rules.columns, said.columns, strict=True))
                assert {name: physical(row[name]) for name in values if name in row} == {
                    name: values[name] for name in values if name in row
                }
    assert sorted(seen) == sorted(wanted)
    if entity == "sessions":
        texts = {one.raw for one in wanted.values() if one.reason}
        assert set(rows["lost"]["lost_file"]) == {f"{file}: {raw}" for raw in texts}
    else:
        assert "lost" not in rows


def physical(value: Any) -> Any:
    """A value of a row as the rules give it."""
    if hasattr(value, "toordinal"):
        return pl.Series([value]).to_physical()[0]
    return value

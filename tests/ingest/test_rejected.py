"""Rejected rows: each line is in quarantine once; what a replay took out is out."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.ingest.outcomes import summed
from pozytywka_spark.ingest.parcels import LEFT, LEFT_ROWS, REJECTED, REJECTED_ROWS
from pozytywka_spark.ingest.resolve.rejected import (
    HEX,
    BatchStamp,
    NewRejected,
    RejectedSlice,
    StillQuarantined,
)
from pozytywka_spark.schemas import QUARANTINE
from tests.in_memory import MemoryFiles

STAMP = BatchStamp("sessions", "sessions-d", 3, 12)
PATHS = ("/d/a.jsonl", "/d/b.jsonl")
_HELD = {name: pl.Int64 if name in ("source_order", "batch", "ingest_id") else pl.String
         for name in QUARANTINE.columns if name != "entity"}  # fmt: skip


def line(line_id, source=0, order=0, reason="malformed", unit=None):
    return {"line_id": line_id, "reason": reason, "rule": f"rule of {line_id}", "raw": f"raw {line_id}",
            "time_unit": unit, "source": source, "source_order": order}  # fmt: skip


def resolve(parcels, held=(), prefixes=("",)):
    files = MemoryFiles()
    put = tuple(files.put(REJECTED, pl.DataFrame(rows, REJECTED_ROWS)) for rows in parcels)
    there = tuple(files.put_file(pl.DataFrame(rows, _HELD), {"entity": "sessions"}) for rows in held)
    slices = [RejectedSlice(put, there, prefix) for prefix in prefixes]
    told = summed(NewRejected(STAMP, PATHS)(slices, files))
    return files, {(row["outcome"], row["reason"]): row["rows"] for row in told}


def test_a_rejected_line_bears_where_it_comes_from() -> None:
    files, counts = resolve([[line("b", 1, 7, "wrong_type", "ms")], [line("a")]])
    ((table, partition, frame),) = files.written
    assert (table, partition) == ("quarantine", {"entity": "sessions"})
    told = ["quarantine_id", "reason", "rule", "raw", "source_file", "source_order", "stream", "batch",
            "ingest_id", "time_unit"]  # fmt: skip
    assert frame.columns == told
    assert frame.rows() == [
        ("a", "malformed", "rule of a", "raw a", "/d/a.jsonl", 0, "sessions-d", 3, 12, None),
        ("b", "wrong_type", "rule of b", "raw b", "/d/b.jsonl", 7, "sessions-d", 3, 12, "ms"),
    ]
    assert counts == {("quarantined", "malformed"): 1, ("quarantined", "wrong_type"): 1}


def test_of_equal_lines_the_first_counts() -> None:
    files, counts = resolve([[line("a", 1, 1), line("a", 0, 9, unit="s")], [line("a", 0, 9)]])
    assert files.written[0][2].select("source_file", "source_order", "time_unit").rows() == [
        ("/d/a.jsonl", 9, None)
    ]
    assert counts == {("quarantined", "malformed"): 1, ("duplicate", "quarantined_before"): 2}


def held(line_id, stream="sessions-d", batch=2):
    return {"quarantine_id": line_id, "stream": stream, "batch": batch}


def test_a_line_that_an_earlier_batch_put_there_is_a_duplicate() -> None:
    """What the same batch put there is written again: the commit is known by its transaction."""
    there = [[held("a"), held("b", batch=3)], [held("c", "other", 3), held("d", None, None)]]
    files, counts = resolve([[line(name) for name in "abcde"]], there)
    assert files.written[0][2].get_column("quarantine_id").to_list() == ["b", "e"]
    assert counts == {("quarantined", "malformed"): 2, ("duplicate", "quarantined_before"): 3}


_LINES = st.lists(st.tuples(st.sampled_from(["0a", "0b", "7f", "ff"]), st.integers(0, 1), st.integers(0, 5)))


@pytest.mark.thorough
@settings(max_examples=30)
@given(st.lists(_LINES.filter(bool), min_size=1, max_size=3), st.sets(st.sampled_from(["0a", "7f", "cc"])))
def test_slices_together_are_the_whole(parcels, there) -> None:
    rows = [[line(*cells) for cells in parcel] for parcel in parcels]
    quarantine = [[held(name) for name in sorted(there)]] if there else []
    for prefixes in (("",), tuple(HEX)):
        files, counts = resolve(rows, quarantine, prefixes)
        found = [name for *_, frame in files.written for name in frame.get_column("quarantine_id")]
        new = {name for parcel in parcels for name, *_ in parcel} - there
        assert sorted(found) == sorted(new)
        assert sum(counts.values()) == sum(map(len, parcels))
        assert counts.get(("quarantined", "malformed"), 0) == len(new)


def test_a_file_of_quarantine_without_the_rows_that_left() -> None:
    files = MemoryFiles()
    there = [
        files.put_file(pl.DataFrame(rows, _HELD), {"entity": "users"})
        for rows in ([held("a"), held("b")], [held("c")], [held("d")])
    ]
    left = files.put(LEFT, pl.DataFrame({"line_id": ["a", "d", "x"]}, LEFT_ROWS))
    told = list(StillQuarantined("users", (left,))(there, files))
    facts = ((True, 1), (False, 1), (True, 0))
    changed = [
        {"path": file.path, "changed": changed, "rows": rows}
        for file, (changed, rows) in zip(there, facts, strict=True)
    ]
    assert told == changed
    ((table, partition, frame),) = files.written
    assert (table, partition, frame.get_column("quarantine_id").to_list()) == (
        "quarantine", {"entity": "users"}, ["b"])  # fmt: skip
    files.written.clear()
    assert list(StillQuarantined("users", (left,), whole=True)(there, files)) == changed
    assert [frame.get_column("quarantine_id").to_list() for *_, frame in files.written] == [["b"], ["c"]]

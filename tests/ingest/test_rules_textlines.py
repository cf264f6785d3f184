"""Bytes of any kind of file as lines, with their places; pure functions, no session."""

from __future__ import annotations

import bz2
import gzip
import io
import re
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.ingest.intake.arrays import BrokenArrayError, array_rows
from pozytywka_spark.ingest.intake.reader import SPLIT_BYTES, Surveyed, parts_of
from pozytywka_spark.ingest.intake.textlines import (
    EndlessLineError,
    Lines,
    cut_lines,
    first_line_from,
    rest_of_line,
)
from pozytywka_spark.ingest.intake.unpack import UNREADABLE, codec_of, unpack_error, unpacked
from pozytywka_spark.lake.shards import pack
from pozytywka_spark.lake.spark_files import failure_in_words
from pozytywka_spark.lake.storage.listed_file import ListedFile, naive_time

TEXT = st.lists(st.sampled_from([b"{}", b"a", b"\xff", "ż".encode(), b"\n", b"\r\n", b"\r"]), max_size=40)


def in_chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def by_pattern(data: bytes) -> list[tuple[bytes, int]]:
    """Lines with their offsets, told by a pattern."""
    found, start = [], 0
    for end in re.finditer(rb"\r\n|\r|\n", data):
        found.append((data[start : end.start()], start))
        start = end.end()
    return [*found, (data[start:], start)] if start < len(data) else found


def flat(cut) -> list[tuple[bytes, int]]:
    return [pair for lines in cut for pair in zip(lines.texts, lines.offsets, strict=True)]


@given(TEXT, st.integers(1, 7))
def test_lines_and_places_are_those_of_the_whole_whatever_the_chunks(pieces: list[bytes], size: int) -> None:
    data = b"".join(pieces)
    assert flat(cut_lines(in_chunks(data, size))) == by_pattern(data)


@given(TEXT, st.integers(1, 9))
def test_parts_share_no_line_and_lose_none(pieces: list[bytes], step: int) -> None:
    data = b"".join(pieces)
    source, found = io.BytesIO(data), []
    for start in range(0, len(data), step):
        end = min(start + step, len(data))
        begin = first_line_from(source, start, end)
        if begin is not None:
            rest = b"" if data[end - 1 : end] == b"\n" else b"".join(rest_of_line(source, end))
            found += flat(cut_lines([data[begin:end] + rest], begin))
    assert found == by_pattern(data)


def test_a_line_without_end_is_given_up() -> None:
    chunks = (b"x" * 100 for _ in range(1000))
    with pytest.raises(EndlessLineError, match="a line of more than"):
        list(cut_lines(chunks, longest=5000))
    assert next(chunks, None) is not None  # the rest was never read


PACKERS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "zstd": lambda data: pa.Codec("zstd").compress(data, asbytes=True),
}


@pytest.mark.parametrize("codec", PACKERS)
def test_members_one_behind_the_other_are_read_and_a_cut_one_is_told(codec: str) -> None:
    text, pack = b'{"a": 1}\n' * 5000, PACKERS[codec]
    packed = pack(text) + pack(b"{}\n")
    assert codec_of(packed) == codec
    assert b"".join(unpacked(io.BytesIO(packed), codec, 999)) == text + b"{}\n"
    if codec == "plain":
        return
    for broken in (packed[:-2], packed[: len(pack(text)) // 2], packed[: len(pack(text)) + 5]):
        with pytest.raises(UNREADABLE) as told:
            list(unpacked(io.BytesIO(broken), codec))
        assert unpack_error(told.value, codec) == f"the {codec} stream ends early"
    with pytest.raises(UNREADABLE) as told:
        list(unpacked(io.BytesIO(packed + b"something else"), codec))
    assert unpack_error(told.value, codec).startswith("it can't be read to its end: ")


A, B, C = b'{"a": [1, {"x": "],["}]}', b'{"b": "]"}', b'{"c": {}}'


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"[\n" + A + b",\n" + B + b",\n" + C + b"\n]\n", [A, B, C]),
        (b"[\r\n" + A + b",\r\n" + B + b"\r\n]", [A, B]),
        (b"\xef\xbb\xbf[" + A + b",\n  " + B + b" ,\n\n \t\n" + C + b"]  \n\n", [A, B, C]),
        (b"\n \n[" + A + b"\n," + B + b"\n, " + C + b"\n]", [A, B, C]),
        (b"[\n\t" + A + b"\n\t,\n\t" + B + b"\n]", [A, B]),
        (b"[" + A + b"]", [A]),
        (b"[]\n", []),
        (b"[\n]\n", []),
        (b"[\n" + A + b",\n" + b'{"broken": ,' + b",\n" + C + b", \n]", [A, b'{"broken": ,', C]),
        (b"[\n" + A + b"," + B + b",\n" + C + b",,\n]", [A + b"," + B, C + b","]),
    ],
)
def test_rows_of_an_array(data: bytes, rows: list[bytes]) -> None:
    for size in (1, 7, 1000):
        found = flat(array_rows(cut_lines(in_chunks(data, size))))
        assert [row for row, _ in found] == rows
        assert [at for _, at in found] == sorted(at for _, at in found)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"[\n" + A + b",\n" + B + b"\n", "the array has no end: the file was cut off"),
        (b"[\n" + A + b"\n]\n[\n" + B + b"\n]", "something comes after the array's end"),
        (b"[" + A + b"]\n" + B + b"\n", "something comes after the array's end"),
    ],
)
def test_arrays_that_break_off_or_go_on(data: bytes, told: str) -> None:
    with pytest.raises(BrokenArrayError, match=told):
        list(array_rows(cut_lines([data])))


def test_tasks_get_about_as_much_each_and_every_byte_once() -> None:
    def file(name: str, size: int, codec: str = "plain", *, array: bool = False) -> Surveyed:
        return Surveyed(ListedFile(name, size, naive_time(0)), codec, array)

    big, small = 5 * SPLIT_BYTES + 7, 1000
    files = [file("big", big), file("packed", big, "gzip"), file("array", big, array=True)]
    files += [file(f"small {number}", small) for number in range(1000)]
    parts = parts_of(files, slots=4)
    assert [part.path for part in parts] == [
        *["big"] * 6,
        "packed",
        "array",
        *(f.file.path for f in files[3:]),
    ]
    assert [(part.start, part.end) for part in parts[:6]] == [
        (at, min(at + SPLIT_BYTES, big)) for at in range(0, big, SPLIT_BYTES)
    ]
    assert all(part.start == 0 and part.end == part.of.file.size for part in parts[6:])
    tasks = pack(parts, lambda part: part.cost, 16)
    assert len(tasks) == 16
    # the whole files are the largest items; all that is small goes where there is room
    assert max(sum(part.cost for part in task) for task in tasks) < 1.1 * max(part.cost for part in parts)


def test_a_file_that_spark_can_not_read_is_named() -> None:
    told = (
        "An error occurred while calling o1.collectToPython.\n: org.apache.spark.SparkException: "
        "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file "
        "abfss://a@b.net/raw%20%5B1%5D/sessions/4%3A5.jsonl.gz.  SQLSTATE: KD001\n\tat org.apache.spark\n"
    )
    path = "abfss://a@b.net/raw [1]/sessions/4:5.jsonl.gz"
    assert failure_in_words(ValueError(told)) == f"{path}: it can't be read to its end"
    early = failure_in_words(
        ValueError(f"{told}Caused by: java.io.EOFException: Unexpected end of input stream")
    )
    assert early == f"{path}: the gzip stream ends early"
    assert failure_in_words(ValueError("something else: file:/x")) is None


def test_lines_is_a_pair_of_equal_lists() -> None:
    assert next(cut_lines([b"a\nbc\n"])) == Lines([b"a", b"bc"], [0, 2])

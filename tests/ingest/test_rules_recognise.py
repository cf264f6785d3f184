"""What a file is, by its first bytes: a table of heads and verdicts; and units of time. No session."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import tarfile
import zipfile
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pozytywka_spark.ingest.intake.contracts import SESSIONS, USERS
from pozytywka_spark.ingest.intake.epochs import MIXED, together, unit_of, unit_of_lines, unit_of_value
from pozytywka_spark.ingest.intake.recognise import Kind, recognise
from pozytywka_spark.ingest.intake.unpack import codec_of

ROWS = [
    {"timestamp": f"2023-01-05T10:{n:02d}:00", "user_id": n, "track_id": "t", "event_type": "PLAY",
     "session_id": 1}
    for n in range(30)
]  # fmt: skip
TEXTS = [json.dumps(row) for row in ROWS]
LINES = "".join(f"{text}\n" for text in TEXTS)
PEOPLE = [
    {"user_id": n, "name": f"Zdzisława Gęś{n}", "city": "Łódź", "street": "ul. Żółta 1",
     "favourite_genres": ["rock"], "premium_user": False}
    for n in range(20)
]  # fmt: skip
NAMES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in PEOPLE)


def zipped(name: str = "sessions.jsonl") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, LINES)
    return target.getvalue()


def tarred() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        entry = tarfile.TarInfo("sessions.jsonl")
        entry.size = len(LINES)
        archive.addfile(entry, io.BytesIO(LINES.encode()))
    return target.getvalue()


def parquet() -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), target)
    return target.getvalue()


def csv(separator: str, *, header: bool = True) -> str:
    rows = [separator.join(map(str, row.values())) for row in ROWS]
    return "\r\n".join([separator.join(ROWS[0])] * header + rows)


WRONG = [
    (json.dumps(ROWS), "JSON array that isn't one object a line", "jq -c '.[]'"),
    (json.dumps(ROWS) + "\n", "JSON array that isn't one object a line", "jq -c '.[]'"),
    ("[" + ", ".join(TEXTS * 9000) + "]", "JSON array that isn't one object a line", "jq"),  # cut head
    ("[\n" + ",\n".join(f"{a}, {a}" for a in TEXTS) + "\n]", "JSON array that isn't", "jq"),
    (json.dumps(ROWS, indent=2), "pretty-printed JSON array", "jq -c '.[]'"),
    (json.dumps(ROWS, indent="\t"), "pretty-printed JSON array", "jq"),
    (json.dumps(ROWS, indent=0).replace("[\n{\n", "[{\n"), "pretty-printed JSON array", "jq"),
    ("\n".join(json.dumps(row, indent=2) for row in ROWS), "pretty-printed JSON, an object", "jq -c ."),
    ("\r\n".join(json.dumps(row, indent=4) for row in ROWS).replace("\n", "\r\n"), "pretty-printed", "jq"),
    (json.dumps({"sessions": ROWS}), "one JSON object around all rows", "jq -c '.sessions[]'"),
    (json.dumps({"data": ROWS}, indent=1), "one JSON object around all rows", "jq -c '.data[]'"),
    ('{"rows": [\n' + ",\n".join(TEXTS) + "\n]}", "one JSON object around all rows", "jq -c '.rows[]'"),
    ("".join(TEXTS), "several objects on a line", "jq -c ."),
    ("\n".join(", ".join([text] * 3) for text in TEXTS), "several objects on a line", "jq"),
    (json.dumps([list(row.values()) for row in ROWS]), "arrays of values", "fields' names"),
    ("".join(json.dumps(list(row.values())) + "\n" for row in ROWS), "arrays of values", "fields' names"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:01\nsize 123\n", "Git LFS", "git lfs pull"),
    ("../.git/annex/objects/ab/cd/SHA256E-s9--x.jsonl/SHA256E-s9--x.jsonl", "annex", "git annex get"),
    *((LINES.encode(name), "UTF-16", "iconv -f utf-16") for name in ("utf-16", "utf-16-le", "utf-16-be")),
    *((LINES.encode(name), "UTF-32", "iconv -f utf-32") for name in ("utf-32", "utf-32-le", "utf-32-be")),
    *((NAMES.encode(name), "other than UTF-8", "iconv -f cp1250") for name in ("cp1250", "iso-8859-2")),
    (f"[\n{NAMES.strip()}\n]".replace("}\n{", "},\n{").encode("cp1250"), "other than UTF-8", "iconv"),
    *((csv(mark), "CSV", "JSON object") for mark in ",;|"),
    (csv("\t"), "TSV", "JSON object"),
    (csv(",", header=False), "CSV", "JSON object"),
    ("\ufeff" + csv(";"), "CSV", "JSON object"),
    (zipped(), "zip archive", "unzip"),
    (zipped("xl/workbook.xml"), "Excel workbook", "JSON Lines"),
    (tarred(), "tar archive", "tar -xf"),
    (b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(40), "7z archive", "7z x"),
    (b"\xfd7zXZ\x00\x00\x04" + bytes(40), "xz", "xz -d"),
    (b"Rar!\x1a\x07\x01\x00" + bytes(40), "rar archive", "unrar"),
    (parquet(), "Parquet", "JSON Lines"),
    (b"Obj\x01\x04\x16avro.schema", "Avro", "JSON Lines"),
    (b"ORC\x11\x00", "ORC", "JSON Lines"),
    (b"SQLite format 3\x00" + bytes(90), "SQLite", "JSON Lines"),
    ("<!DOCTYPE html>\n<html><body>404</body></html>", "HTML", "again"),
    ("\n  <html>\n<h1>Sign in</h1>", "HTML", "again"),
    ('<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "XML", "again"),
    (bytes(5000), "zero bytes", "again"),
    (bytes(range(256)) * 40, "binary", ""),
    ("".join(f"\x1e{text}\n" for text in TEXTS), "JSON text sequence", "tr -d"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "seems", "advice"), WRONG)
def test_what_is_no_json_lines_for_certain(data: str | bytes, seems: str, advice: str) -> None:
    head = data.encode() if isinstance(data, str) else data
    whole = len(head) < 500_000
    entity = USERS if b"favourite_genres" in head or b"f\x00a\x00v" in head else SESSIONS
    found = recognise(head[:200_000], whole=whole, codec="plain", fields=entity.required).wrong
    assert found is not None
    assert seems in found.seems
    assert advice in found.advice


GOOD = TEXTS[0]
RIGHT = [
    (LINES, Kind()),
    (LINES.replace("\n", "\r\n"), Kind()),
    ("\ufeff" + LINES, Kind()),
    (NAMES, Kind()),
    ("", Kind()),
    ("\n \n", Kind()),
    # bad rows among good ones, or instead of them, are judged one by one
    ("{\n" + LINES, Kind()),
    ("{\n", Kind()),
    ('{"timestamp": "2023\n' + LINES, Kind()),
    (f"[{GOOD}]\n" + LINES, Kind()),
    ("[1, 2]\n" + LINES, Kind()),
    (f"[{GOOD}]\n" * 5, Kind()),
    (f"{GOOD}, {GOOD}\n" + LINES, Kind()),
    ("<html>\n" + LINES, Kind()),
    ("a,b,c\n" + LINES, Kind()),
    (LINES.encode() + b"\xff\xfe\x00{\n", Kind()),
    (b"\xff{\n" + LINES.encode(), Kind()),
    (GOOD.encode() + b"\n\xff{\n", Kind()),
    (NAMES.encode() + NAMES.splitlines()[0].encode("cp1250"), Kind()),
    ("nonsense\n", Kind()),
    # an array with one object a line
    ("[\n" + ",\n".join(TEXTS) + "\n]\n", Kind(array=True)),
    ("\ufeff[\r\n" + ",\r\n".join(TEXTS) + "\r\n]", Kind(array=True)),
    ("[" + "\n,".join(TEXTS) + "]", Kind(array=True)),
    ("[\n\n" + ",\n\n".join(TEXTS) + "\n\n]\n\n", Kind(array=True)),
    ("[\n" + ",\n".join(["{broken", *TEXTS]) + "\n]\n", Kind(array=True)),
    (f"[{GOOD}]", Kind(array=True)),
    ("[]", Kind(array=True)),
    ("[\n]\n", Kind(array=True)),
    ("[\n" + ",\n".join(TEXTS), Kind(array=True)),  # cut off: reading it says so
]


@pytest.mark.parametrize(("data", "kind"), RIGHT)
def test_what_is_read_row_by_row(data: str | bytes, kind: Kind) -> None:
    head = data.encode() if isinstance(data, str) else data
    entity = USERS if b"favourite_genres" in head else SESSIONS
    assert recognise(head, whole=True, codec="plain", fields=entity.required) == kind


@pytest.mark.parametrize("inner", [gzip.compress, bz2.compress])
def test_compressed_twice(inner) -> None:
    found = recognise(inner(LINES.encode()), whole=True, codec="gzip", fields=SESSIONS.required)
    assert found.wrong is not None
    assert found.wrong.seems == "compressed twice"


def test_a_tar_within_gzip() -> None:
    found = recognise(tarred(), whole=True, codec="gzip", fields=SESSIONS.required)
    assert found.wrong is not None
    assert found.wrong.seems == "a tar archive"


@pytest.mark.parametrize(
    ("head", "codec"),
    [(b"\x1f\x8b\x08", "gzip"), (b"BZh91AY&SY", "bzip2"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh9", "plain"),
     (b"{", "plain"), (b"", "plain"), (b"P*M\x18", "zstd")],
)  # fmt: skip
def test_codecs_by_their_first_bytes(head: bytes, codec: str) -> None:
    assert codec_of(head) == codec


def epoch(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def test_units_by_size_to_the_second() -> None:
    first, beyond = epoch(2000), epoch(2100)
    for unit, scale in (("s", 1), ("ms", 1000), ("us", 1_000_000)):
        found = [
            unit_of(number)
            for number in (first * scale - 1, first * scale, beyond * scale - 1, beyond * scale)
        ]
        assert found == [None, unit, unit, None]
    values = [1679591881, "1679591881000", "1679591881.5", 1679591881.5, True, None, "2023-01-01", "-1", {}]
    assert [unit_of_value(value) for value in values] == ["s", "ms", *[None] * 7]


MS = b'{"timestamp": 1679591881000, "user_id": 1}'


@pytest.mark.parametrize(
    ("lines", "unit"),
    [
        ([MS, b'{"user_id": null, "timestamp":"1679591881603"}'], "ms"),
        ([MS, b"{", b'{"timestamp": null}', b'{"user_id": 1}', b"[]", b"\xff", b" "], "ms"),
        ([MS, b'{"meta": {"timestamp": 5}, "timestamp": 1679591881001}'], "ms"),
        ([MS, b'\xef\xbb\xbf{"a": "\\"timestamp\\": 5", "timestamp" : 1679591881001 }'], "ms"),
        ([MS, b'{"timestamp": 1679591881}'], MIXED),
        ([MS, b'{"timestamp": "2023-01-05T10:00:00"}'], MIXED),
        ([MS, b'{"timestamp": 1679591881000.5}'], MIXED),
        ([MS, b'{"timestamp": 0}'], MIXED),
        ([MS, b'{"timestamp": 4102444800000}'], MIXED),
        ([b'{"timestamp": "2023-01-05T10:00:00"}'], MIXED),
        ([b"{}", b"x"], None),
        ([], None),
    ],
)
def test_the_unit_of_a_whole_column(lines: list[bytes], unit: str | None) -> None:
    assert unit_of_lines(lines) == unit
    assert together([None, unit]) == unit
    assert together(["us", unit]) == ("us" if unit is None else MIXED)


def test_the_first_rows_tell_the_unit_to_be_verified() -> None:
    def head(*values: object) -> bytes:
        return "".join(json.dumps({"timestamp": value}) + "\n" for value in values).encode()

    def unit(data: bytes, fields: tuple[str, ...] = SESSIONS.required) -> str | None:
        return recognise(data, whole=True, codec="plain", fields=fields).time_unit

    assert unit(head(1679591881, None, 1679591882)) == "s"
    assert unit(head(1679591881000000, "1679591881000001")) == "us"
    assert unit(b"[\n" + head(1679591881000, 1679591881001).replace(b"}\n{", b"},\n{") + b"]") == "ms"
    assert unit(head(1679591881, 1679591881000)) is None
    assert unit(head("2023-01-05T10:00:00")) is None
    assert unit(head(1679591881), USERS.required) is None

"""Small deliveries for tests: sessions that keep the real ones' grammar; writing them, reading tables."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from pozytywka_spark.config import Settings
from pozytywka_spark.lake.api import Lake

Row = dict[str, Any]
START = datetime(2023, 1, 30, 20)


def sessions(number: int, seed: int = 0, first: int = 1) -> list[Row]:
    """Complete session rows in file order: plays, each perhaps liked, then perhaps skipped; some adverts."""
    dice = random.Random(seed)
    rows: list[Row] = []
    for session in range(first, first + number):
        time = START + timedelta(hours=2 * session, minutes=dice.randrange(60))
        for _ in range(dice.randint(2, 6)):
            track = f"t{dice.randrange(30)}"
            base = {"user_id": 100 + session % 7, "session_id": session}
            rows.append(_row(time, "PLAY", track, base))
            if dice.random() < 0.4:
                time += timedelta(seconds=dice.randint(5, 60), milliseconds=dice.randrange(1000))
                rows.append(_row(time, "LIKE", track, base))
            time += timedelta(seconds=dice.randint(61, 240))
            if dice.random() < 0.4:
                rows.append(_row(time, "SKIP", track, base))
            if dice.random() < 0.2:
                rows.append(_row(time, "ADVERTISEMENT", "", base))
                time += timedelta(seconds=30)
    return rows


GRAMMAR_FROM = 10_000_000


def usual_sessions(number: int = 600) -> list[Row]:
    """Enough complete sessions to show the grammar of `sessions`, and thirty of a purchase between two plays.

    Their ids begin at `GRAMMAR_FROM`.
    """
    rows = [row | {"session_id": GRAMMAR_FROM + row["session_id"]} for row in sessions(number, seed=77)]
    for bought in range(30):
        base = {"user_id": 900 + bought, "session_id": 2 * GRAMMAR_FROM + bought}
        time = START - timedelta(hours=3 * bought)
        for minutes, kind, track in ((0, "PLAY", "a"), (3, "BUY_PREMIUM", ""), (4, "PLAY", "b")):
            rows.append(_row(time + timedelta(minutes=minutes), kind, track, base))
    return rows


def _row(time: datetime, kind: str, track: str, base: Row) -> Row:
    return {"timestamp": time.isoformat(), "track_id": track, "event_type": kind, **base}


def users(number: int = 7) -> list[Row]:
    """User rows with personal fields that must never be seen again."""
    return [
        {
            "user_id": 100 + n,
            "name": f"Zdzisława Kowalska{n}",
            "city": "Radom",
            "street": f"ul. Ogrodowa {n}/7",
            "favourite_genres": ["folk", "rock", "jazz"],
            "premium_user": n % 2 == 0,
        }
        for n in range(number)
    ]


def write(path: Path, rows: list[Row | str | bytes]) -> Path:
    """One line each: rows as JSON, text and bytes as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, bytes) else _text(row).encode() for row in rows]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def _text(row: Row | str) -> str:
    return row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)


def at(settings: Settings, raw: Path, **ingest: Any) -> Settings:
    """The settings with another delivery."""
    return settings.model_copy(
        update={
            "raw": settings.raw.model_copy(update={"path": str(raw)}),
            "ingest": settings.ingest.model_copy(update=ingest),
        }
    )


def contents(lake: Lake, table: str, *without: str) -> list[tuple[Any, ...]]:
    """All rows of a table, sorted; none if there is no table."""
    if not lake.exists(table):
        return []
    rows = lake.rows(table)
    columns = (rows.column(name).to_pylist() for name in sorted(set(rows.column_names) - set(without)))
    return sorted(zip(*columns, strict=True), key=repr)


def rows_in(lake: Lake, table: str, **where: Any) -> list[Row]:
    """The rows of a table whose columns have these values, read without Spark."""
    rows: list[Row] = lake.rows(table).to_pylist()
    return [row for row in rows if all(row[name] == value for name, value in where.items())]


def lines_of(spark: SparkSession, rows: list[Row | str], file: str = "file:/d/sessions.jsonl") -> DataFrame:
    """Rows as `lines.as_lines` gives them, without a file."""
    schema = T.StructType.fromDDL(
        "value string, line_id string, source_file string, source_order bigint, "
        "source_size bigint, source_modified timestamp, time_unit string"
    )
    data = [(_text(r), f"{file}#{_text(r)}", file, n, 1, START, None) for n, r in enumerate(rows)]
    return spark.createDataFrame(data, schema)

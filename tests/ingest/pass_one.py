"""Pass one over bytes, without a session: what becomes of each line, by the names of staged columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_spark.ingest.intake.contracts import CONTRACTS
from pozytywka_spark.ingest.intake.reader import Part, Surveyed, parts_of
from pozytywka_spark.ingest.intake.textlines import Lines, Piece, lines_in
from pozytywka_spark.ingest.validate.file_stats import FileStats
from pozytywka_spark.ingest.validate.joined_pieces import Origin
from pozytywka_spark.ingest.validate.judge_lines import Judged
from pozytywka_spark.ingest.validate.line_work import LineWork
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.storage.listed_file import ListedFile, naive_time
from tests.in_memory import MemoryFiles
from tests.ingest.odd_lines import PLAY

ANY_TIME = Judging(2**20)

SOUND = json.dumps(PLAY).encode()
NAMELESS = json.dumps(PLAY | {"user_id": None}).encode()


def cut(data: bytes) -> list[tuple[bytes, int]]:
    lines = lines_in(Piece(data, 0))
    return list(zip(lines.texts, lines.offsets, strict=True))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def losses_of(raw: str | None, path: str) -> list[tuple[int | None, int | None, str | None]]:
    """Not what is lost, but what was asked."""
    return [(None, None, f"{path}: {raw}")]


def work(
    paths: Sequence[str], entity: str = "sessions", judging: Judging = ANY_TIME, buckets: int = 1
) -> LineWork:
    return LineWork(Storage(), entity, judging, buckets, tuple(paths), losses_of)


def surveyed(path: Path, **how: Any) -> Surveyed:
    return Surveyed(ListedFile(str(path), path.stat().st_size, naive_time(0)), **how)


def run(
    parts: Sequence[Part], entity: str = "sessions", judging: Judging = ANY_TIME, buckets: int = 1
) -> tuple[MemoryFiles, dict[str, FileStats], dict[str, dict[str, str]]]:
    """Parts of files, a task: what is staged, and by the files' paths the stats and the hashes of blocks."""
    paths = sorted({part.path for part in parts})
    files = MemoryFiles()
    told = list(work(paths, entity, judging, buckets)(parts, files))
    stats = {paths[one["source"]]: FileStats.of_result(one["stats"]) for one in told}
    return files, stats, {paths[one["source"]]: one["blocks"] for one in told}


def run_over(path: Path, entity: str = "sessions", **options: Any) -> tuple[MemoryFiles, FileStats]:
    """A whole file."""
    files, stats, _ = run(parts_of([surveyed(path)], 1), entity, **options)
    return files, stats[str(path)]


def rows_of(files: MemoryFiles) -> dict[str, pl.DataFrame]:
    """All staged rows by kind, in the order of their places."""
    found = {}
    for kind in {parcel.kind for parcel in files.parcels}:
        rows = pl.concat(files.staged(kind).values())
        order = ["source", "source_order"] if "source_order" in rows.columns else rows.columns
        found[kind] = rows.sort(order)
    return found


def by_rules(
    lines: Iterable[tuple[bytes, int]],
    entity: str = "sessions",
    judging: Judging = ANY_TIME,
    path: str = "/d",
) -> tuple[dict[str, pl.DataFrame], FileStats]:
    """The same by the rules alone; of lines and their offsets, blank ones left out."""
    judged = Judged(next(c for c in CONTRACTS if c.entity == entity), judging, losses_of)
    kept = [(text, at) for text, at in lines if text.strip(b" ")]
    judged.judge(Origin(0, path, None), Lines([text for text, _ in kept], [at for _, at in kept]))
    frames, stats = judged.take()
    rows = {kind: frame.drop("_month", strict=False) for kind, frame in frames.items() if frame.height}
    return rows, stats.get(0, FileStats())

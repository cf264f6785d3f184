"""Pieces of several files looked at as one: a look has a fixed cost, and a file may have ten lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby

import numpy as np
import polars as pl

from pozytywka_spark.ingest.intake.textlines import Lines, Piece
from pozytywka_spark.ingest.validate.fast_path import Seen, look_first
from pozytywka_spark.ingest.validate.rules.verdict import Judging


@dataclass(frozen=True)
class Origin:
    """Where lines come from: the place of their file in the batch's list, its path, its unit of time."""

    source: int
    path: str
    unit: str | None


Found = tuple[Origin, Lines]


def look_at(origin: Origin, lines: Piece | Lines, judging: Judging) -> tuple[pl.DataFrame, list[Found]]:
    """`look_first` at lines of one file, whose place is put to the sound ones as `source`."""
    return with_source(origin, look_first(lines, judging))


def with_source(origin: Origin, seen: Seen) -> tuple[pl.DataFrame, list[Found]]:
    """What was seen of lines of one file, with its place at the sound ones as `source`."""
    source = pl.repeat(origin.source, seen.sound.height, dtype=pl.Int32, eager=True)
    return seen.sound.hstack([source.alias("source")]), [(origin, seen.doubtful)]


def look_at_all(pieces: Sequence[tuple[Origin, Piece]], judging: Judging) -> tuple[pl.DataFrame, list[Found]]:
    """The same of pieces of any files; the doubtful lines of each are beside it."""
    if len(pieces) == 1:
        return look_at(*pieces[0], judging)
    # a piece without an end at its end is the last of its file
    texts = [_ended(piece.data) for _, piece in pieces]
    starts = list(accumulate(chain((0,), map(len, texts[:-1]))))
    seen = look_first(Piece(b"".join(texts), 0), judging)
    places = np.searchsorted(starts, seen.sound["source_order"].to_numpy(), "right") - 1
    sources = np.array([origin.source for origin, _ in pieces], np.int32)
    shifts = np.array([piece.start - at for (_, piece), at in zip(pieces, starts, strict=True)])
    sound = seen.sound.with_columns(
        (pl.col("source_order") + pl.Series(shifts[places])).alias("source_order"),
        pl.Series("source", sources[places]),
    )
    return sound, _parted(seen, pieces, starts)


def _ended(data: bytes) -> bytes:
    return data if data.endswith(b"\n") else data + b"\n"


def _parted(seen: Seen, pieces: Sequence[tuple[Origin, Piece]], starts: Sequence[int]) -> list[Found]:
    """The doubtful lines of each file, with their offsets in it."""
    lines = seen.doubtful
    places = np.searchsorted(starts, lines.offsets, "right") - 1
    parts = []
    for place, mine in groupby(
        zip(places.tolist(), lines.texts, lines.offsets, strict=True), lambda row: row[0]
    ):
        rows = list(mine)
        origin, piece = pieces[place]
        shift = piece.start - starts[place]
        parts.append((origin, Lines([text for _, text, _ in rows], [at + shift for _, _, at in rows])))
    return parts

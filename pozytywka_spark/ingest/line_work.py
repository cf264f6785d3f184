"""Pass one of an ingest: files in, their rows put down by what becomes of them, counts told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.identity import user_bucket
from pozytywka_spark.ingest.content import Blocks
from pozytywka_spark.ingest.contracts import CONTRACTS, SESSIONS, Contract
from pozytywka_spark.ingest.file_stats import MONTH, FileStats
from pozytywka_spark.ingest.joined import Origin, look_at, look_at_all
from pozytywka_spark.ingest.judged import Judged, LossesOf
from pozytywka_spark.ingest.reader import Part, read_part
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.ingest.staged import COMPLETE
from pozytywka_spark.ingest.textlines import Lines, Piece, lines_in
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.storage import Storage
from pozytywka_spark.lake.tasks import TaskFiles, Told

# A task puts rows down by so many, of however many files they are: small files make no small parcels
_ROWS = 400_000
# Bytes for one look
_LOOK = 2 << 20
# and no more text than that of rows that keep theirs
_TEXT = 128 << 20
# Lines judged before it is looked whether there are enough
_SLICE = 50_000
_QUARANTINED = (
    "quarantine_id", "entity", "reason", "raw", "source_file", "source_order", "ingest_id", "time_unit",
)  # fmt: skip


@dataclass(frozen=True)
class LineWork:
    """Work on parts of files of one entity, of which `paths` are all of the batch (see `staged.SOURCE`).

    Tells for each file that it read of: `source` (its place in `paths`), `stats` (`FileStats.as_told` of what
    it read) and `blocks` (see `content.Blocks`).
    """

    storage: Storage
    entity: str
    judging: Judging
    buckets: int
    paths: tuple[str, ...]
    losses_of: LossesOf

    def __call__(self, parts: Sequence[Part], files: TaskFiles) -> Iterator[Told]:
        """Read each part in turn."""
        numbers = {path: number for number, path in enumerate(self.paths)}
        batch = self._batch(files)
        blocks: defaultdict[int, Blocks] = defaultdict(Blocks)
        for part in parts:
            source = numbers[part.path]
            for found in read_part(self.storage, part, blocks[source]):
                batch.add(Origin(source, part.path, part.of.time_unit), found)
        stats = batch.end()
        for source, of in blocks.items():
            told = stats.get(source, FileStats()).as_told()
            yield {"source": source, "stats": told, "blocks": {str(at): one for at, one in of.told.items()}}

    def judge_lines(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[Told]:
        """The same work on lines that Spark put down (`by_spark.LINES`). No `blocks` are told."""
        numbers = {path: number for number, path in enumerate(self.paths)}
        batch = self._batch(files)
        slices = (rows for item in items for rows in files.read([item]).iter_slices(_SLICE))
        for frame in slices:
            for (path, unit), lines in frame.group_by("path", "time_unit", maintain_order=True):
                texts, offsets = lines["value"].to_list(), lines["source_order"].to_list()
                batch.add(Origin(numbers[str(path)], str(path), unit), Lines(texts, offsets))
        for source, stats in batch.end().items():
            yield {"source": source, "stats": stats.as_told()}

    def _batch(self, files: TaskFiles) -> _Batch:
        judged = Judged(contract_of(self.entity), self.judging, self.losses_of)
        return _Batch(judged, self.buckets, files, self.judging if self.entity == SESSIONS.entity else None)


@dataclass(frozen=True)
class ReplayWork:
    """Work on data files of the quarantine table: an entity's rows judged anew, as of `LineWork`.

    `paths` are the rows' source files, as the table spells them. Only rows rejected for one of `reasons`
    (none given: for any), and not those of the ingest `but_of`. Tells `source` and `stats`.
    """

    entity: str
    judging: Judging
    buckets: int
    paths: tuple[str, ...]
    losses_of: LossesOf
    reasons: tuple[str, ...] = ()
    but_of: int | None = None

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[Told]:
        """Judge the rows of each file in turn."""
        numbers = {path: number for number, path in enumerate(self.paths)}
        batch = _Batch(
            Judged(contract_of(self.entity), self.judging, self.losses_of, keep_text=True),
            self.buckets,
            files,
        )
        for item in items:
            for rows in files.read([item], _QUARANTINED).filter(self._tried()).iter_slices(_SLICE):
                for (path, unit), mine in rows.group_by("source_file", "time_unit", maintain_order=True):
                    texts = [raw.encode() for raw in mine["raw"]]
                    lines = Lines(texts, mine["source_order"].to_list())
                    origin = Origin(numbers[str(path)], str(path), unit)
                    batch.judge(origin, lines, mine["quarantine_id"].to_list())
        for source, stats in batch.end().items():
            yield {"source": source, "stats": stats.as_told()}

    def _tried(self) -> pl.Expr:
        tried = pl.col("entity") == self.entity
        if self.reasons:
            tried &= pl.col("reason").is_in(self.reasons)
        return tried if self.but_of is None else tried & (pl.col("ingest_id") != self.but_of)


def contract_of(entity: str) -> Contract:
    """The contract of an entity by its name."""
    return next(contract for contract in CONTRACTS if contract.entity == entity)


class _Batch:
    """Rows of any files until there are enough of them to be put down.

    `looking`: lines get a first look (see `first_look`) by that; None: they are judged by the rules alone.
    """

    def __init__(
        self, judged: Judged, buckets: int, files: TaskFiles, looking: Judging | None = None
    ) -> None:
        self._judged, self._buckets, self._files, self._looking = judged, buckets, files, looking
        self._pieces: list[tuple[Origin, Piece]] = []
        self._waiting = 0  # bytes of them
        self._stats: dict[int, FileStats] = {}

    def add(self, origin: Origin, found: Piece | Lines) -> None:
        """Lines of a file."""
        if self._looking is None:
            self.judge(origin, not_blank(found))
        elif isinstance(found, Lines):
            self._seen(*look_at(origin, found, self._looking))
        else:
            self._pieces.append((origin, found))
            self._waiting += len(found.data)
            if self._waiting >= _LOOK:
                self._look()

    def _look(self) -> None:
        if self._pieces and self._looking is not None:
            self._seen(*look_at_all(self._pieces, self._looking))
            self._pieces, self._waiting = [], 0

    def _seen(self, sound: pl.DataFrame, doubtful: Iterable[tuple[Origin, Lines]]) -> None:
        self._judged.add_sound(sound)
        self._put_down_if_enough()
        for origin, lines in doubtful:
            self.judge(origin, lines)

    def judge(self, origin: Origin, lines: Lines, line_ids: Sequence[str] | None = None) -> None:
        """Lines of any entity, none of them blank, by the rules alone."""
        # in slices, for eight megabytes may be millions of lines, each of which becomes a row
        for at in range(0, len(lines.texts), _SLICE):
            some = slice(at, at + _SLICE)
            ids = None if line_ids is None else line_ids[some]
            self._judged.judge(origin, Lines(lines.texts[some], lines.offsets[some]), ids)
            self._put_down_if_enough()

    def end(self) -> dict[int, FileStats]:
        """What is to be told of each source, with all rows put down."""
        self._look()
        self._put_down()
        return self._stats

    def _put_down_if_enough(self) -> None:
        if self._judged.rows >= _ROWS or self._judged.text_bytes >= _TEXT:
            self._put_down()

    def _put_down(self) -> None:
        frames, told = self._judged.take()
        put_down(frames, self._buckets, self._files)
        for source, stats in told.items():
            self._stats[source] = self._stats.get(source, FileStats()) + stats


def put_down(frames: dict[str, pl.DataFrame], buckets: int, files: TaskFiles) -> None:
    """Stage rows by kind, as of `Judged.take`; complete events by month and bucket of the user."""
    for kind, rows in frames.items():
        if kind != COMPLETE:
            files.stage(kind, rows.drop(MONTH, strict=False))
            continue
        sharded = rows.with_columns(user_bucket(pl.col("user_id"), buckets).alias("_bucket"))
        by_shard = sharded.partition_by(MONTH, "_bucket", include_key=False, as_dict=True)
        for (month, bucket), mine in by_shard.items():
            files.stage(kind, mine, (str(month), int(bucket)))


def not_blank(found: Piece | Lines) -> Lines:
    """Those lines that hold something: a line of blanks is no row."""
    lines = found if isinstance(found, Lines) else lines_in(found)
    kept = [(text, at) for text, at in zip(lines.texts, lines.offsets, strict=True) if text.strip(b" ")]
    return Lines([text for text, _ in kept], [at for _, at in kept])

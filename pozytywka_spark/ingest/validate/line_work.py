"""Pass one of an ingest: files in, their rows put down by what becomes of them, counts told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from pozytywka_spark.ingest.intake.content_hash import Blocks, content_hash
from pozytywka_spark.ingest.intake.contracts import CONTRACTS, SESSIONS, Contract
from pozytywka_spark.ingest.intake.reader import Part, read_part
from pozytywka_spark.ingest.intake.textlines import Lines
from pozytywka_spark.ingest.masking.name_words import KnownNames
from pozytywka_spark.ingest.validate.file_stats import FileStats
from pozytywka_spark.ingest.validate.joined_pieces import Origin
from pozytywka_spark.ingest.validate.judge_lines import Judged, LossesOf
from pozytywka_spark.ingest.validate.row_buffer import SLICE, Gathered
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.ingest.validate.usual_catalogue import USUAL
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.tasks import Result, TaskFiles

_QUARANTINED = (
    "quarantine_id", "entity", "reason", "raw", "source_file", "source_order", "ingest_id", "time_unit",
)  # fmt: skip


@dataclass(frozen=True)
class LineWork:
    """Work on parts of files of one entity, of which `paths` are all of the batch (see `parcels.SOURCE`).

    Tells for each file that it read of: `source` (its place in `paths`), `stats` (`FileStats.as_result` of
    what it read) and `blocks` (see `content_hash.Blocks`). `names`: of users, to be masked in their texts.
    """

    storage: Storage
    entity: str
    judging: Judging
    buckets: int
    paths: tuple[str, ...]
    losses_of: LossesOf
    names: KnownNames | None = None

    def __call__(self, parts: Sequence[Part], files: TaskFiles) -> Iterator[Result]:
        """Read each part in turn."""
        numbers = {path: number for number, path in enumerate(self.paths)}
        rows = self._gathered(files)
        blocks: defaultdict[int, Blocks] = defaultdict(Blocks)
        for part in parts:
            source = numbers[part.path]
            for piece in read_part(self.storage, part, blocks[source]):
                rows.add(Origin(source, part.path, part.of.time_unit), piece)
        stats = rows.end()
        for source, of in blocks.items():
            result = stats.get(source, FileStats()).as_result()
            yield {
                "source": source,
                "stats": result,
                "blocks": {str(at): one for at, one in of.by_number.items()},
            }

    def judge_lines(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[Result]:
        """The same work on lines that Spark put down (`spark_files.LINES`). No `blocks` are told."""
        numbers = {path: number for number, path in enumerate(self.paths)}
        rows = self._gathered(files)
        slices = (lines for item in items for lines in files.read([item]).iter_slices(SLICE))
        for frame in slices:
            for (path, unit), lines in frame.group_by("path", "time_unit", maintain_order=True):
                texts, offsets = lines["value"].to_list(), lines["source_order"].to_list()
                rows.add(Origin(numbers[str(path)], str(path), unit), Lines(texts, offsets))
        for source, stats in rows.end().items():
            yield {"source": source, "stats": stats.as_result()}

    def _gathered(self, files: TaskFiles) -> Gathered:
        judged = Judged(contract_of(self.entity), self.judging, self.losses_of)
        looking = self.judging if self.entity == SESSIONS.entity else None
        usual = USUAL.get(self.entity)
        return Gathered(
            judged, self.buckets, files, looking, self.names, (usual, self.judging) if usual else None
        )


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

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[Result]:
        """Judge the rows of each file in turn."""
        numbers = {path: number for number, path in enumerate(self.paths)}
        judged = Judged(contract_of(self.entity), self.judging, self.losses_of, keep_text=True)
        rows = Gathered(judged, self.buckets, files)
        for item in items:
            for some in files.read([item], _QUARANTINED).filter(self._tried()).iter_slices(SLICE):
                for (path, unit), mine in some.group_by("source_file", "time_unit", maintain_order=True):
                    texts = [raw.encode() for raw in mine["raw"]]
                    lines = Lines(texts, mine["source_order"].to_list())
                    origin = Origin(numbers[str(path)], str(path), unit)
                    rows.judge(origin, lines, mine["quarantine_id"].to_list())
        for source, stats in rows.end().items():
            yield {"source": source, "stats": stats.as_result()}

    def _tried(self) -> pl.Expr:
        tried = pl.col("entity") == self.entity
        if self.reasons:
            tried &= pl.col("reason").is_in(self.reasons)
        return tried if self.but_of is None else tried & (pl.col("ingest_id") != self.but_of)


def by_source(results: Iterable[Result]) -> dict[int, tuple[FileStats, str | None]]:
    """What all tasks of either work told, by source: the file's stats, and its `content_hash` if known."""
    stats: defaultdict[int, FileStats] = defaultdict(FileStats)
    blocks: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for one in results:
        stats[one["source"]] += FileStats.of_result(one.get("stats", {}))
        blocks[one["source"]] |= {int(at): block for at, block in one.get("blocks", {}).items()}
    hashes = {
        source: content_hash(source_blocks) for source, source_blocks in blocks.items() if source_blocks
    }
    return {source: (of, hashes.get(source)) for source, of in stats.items()}


def contract_of(entity: str) -> Contract:
    """The contract of an entity by its name."""
    return next(contract for contract in CONTRACTS if contract.entity == entity)

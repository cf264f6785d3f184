"""Pass one over a batch's files: which parts tasks read, and what the driver knows of the rows afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pozytywka_spark.ingest.content import content_hash
from pozytywka_spark.ingest.file_stats import FileStats
from pozytywka_spark.ingest.line_work import LineWork
from pozytywka_spark.ingest.losses import losses_of
from pozytywka_spark.ingest.reader import Part, Surveyed, parts_of
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.storage import Storage
from pozytywka_spark.lake.tasks import Tasks, Told


@dataclass(frozen=True)
class JudgedRows:
    """A batch's rows, judged and put down, and what is known of them by file (plain path)."""

    parcels: tuple[Parcel, ...]
    files: Mapping[str, FileStats]
    hashes: Mapping[str, str]

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files.values())

    @property
    def of_all(self) -> FileStats:
        """The files' stats together."""
        return sum(self.files.values(), FileStats())


NOTHING_READ = JudgedRows((), {}, {})


def read_files(
    tasks: Tasks,
    files: Sequence[Surveyed],
    storage: Storage,
    entity: str,
    judging: Judging,
    buckets: int,
) -> JudgedRows:
    """The rows of files that tasks open by themselves, in the order of the files' paths."""
    paths = tuple(each.file.path for each in files)
    work = LineWork(storage, entity, judging, buckets, paths, losses_of)
    done = tasks.run(parts_of(files, tasks.slots), work, weight=lambda part: part.cost, named=named_part)
    return JudgedRows(done.parcels, stats_by_path(done.told, paths), hashes_by_path(done.told, paths))


def read_lines(
    tasks: Tasks,
    lines: Sequence[DataFile],
    paths: tuple[str, ...],
    entity: str,
    judging: Judging,
    buckets: int,
) -> JudgedRows:
    """The same of lines that Spark has read of the files at `paths` and put down."""
    work = LineWork(Storage(), entity, judging, buckets, paths, losses_of)
    done = tasks.run(lines, work.judge_lines, weight=lambda file: file.size, named=lambda file: file.place)
    return JudgedRows(done.parcels, stats_by_path(done.told, paths), {})


def stats_by_path(told: Iterable[Told], paths: Sequence[str]) -> dict[str, FileStats]:
    """What tasks told of each file, by its path; files of which no row was told aren't there."""
    found: dict[str, FileStats] = {}
    for facts in told:
        stats = FileStats.of_told(facts["stats"])
        if stats.rows:
            path = paths[facts["source"]]
            found[path] = found.get(path, FileStats()) + stats
    return dict(sorted(found.items()))


def named_part(part: Part) -> str:
    """A part in words."""
    return f"{part.path}, bytes {part.start:,} to {part.end:,}"


def hashes_by_path(told: Iterable[Told], paths: Sequence[str]) -> dict[str, str]:
    """What tasks told of the blocks of each file, as the file's hash by its path."""
    blocks: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for facts in told:
        for number, block in facts.get("blocks", {}).items():
            blocks[paths[facts["source"]]][int(number)] = block
    return {path: content_hash(mine) for path, mine in blocks.items()}

"""Pass one over a batch's files: which parts tasks read, and what the driver knows of the rows afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pozytywka_spark.ingest.intake.reader import Part, Surveyed, parts_of
from pozytywka_spark.ingest.masking.name_words import KnownNames
from pozytywka_spark.ingest.resolve.missing_rows import losses_of
from pozytywka_spark.ingest.validate.file_stats import FileStats
from pozytywka_spark.ingest.validate.line_work import LineWork, by_source
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.tasks import Done, Tasks


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
    names: KnownNames | None = None,
) -> JudgedRows:
    """The rows of files that tasks open by themselves, in the order of the files' paths."""
    paths = tuple(each.file.path for each in files)
    work = LineWork(storage, entity, judging, buckets, paths, losses_of, names)
    done = tasks.run(parts_of(files, tasks.slots), work, weight=lambda part: part.cost, named=named_part)
    return judged_rows(done, paths)


def read_lines(
    tasks: Tasks,
    lines: Sequence[DataFile],
    paths: tuple[str, ...],
    entity: str,
    judging: Judging,
    buckets: int,
    names: KnownNames | None = None,
) -> JudgedRows:
    """The same of lines that Spark has read of the files at `paths` and put down."""
    work = LineWork(Storage(), entity, judging, buckets, paths, losses_of, names)
    done = tasks.run(lines, work.judge_lines, weight=lambda file: file.size, named=lambda file: file.place)
    return judged_rows(done, paths)


def judged_rows(done: Done, paths: Sequence[str]) -> JudgedRows:
    """What tasks of pass one put down and told of the files at `paths`; files without rows aren't there."""
    by_path = {paths[source]: stats_and_hash for source, stats_and_hash in by_source(done.results).items()}
    return JudgedRows(
        done.parcels,
        {path: stats for path, (stats, _) in sorted(by_path.items()) if stats.rows},
        {path: content_hash for path, (_, content_hash) in by_path.items() if content_hash},
    )


def named_part(part: Part) -> str:
    """A part in words."""
    return f"{part.path}, bytes {part.start:,} to {part.end:,}"

"""Files of another time but with the same bytes: a copy or a touch of a file isn't read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pozytywka_spark.ingest.intake.content_hash import Blocks, in_blocks
from pozytywka_spark.ingest.intake.ingest_log import Version
from pozytywka_spark.ingest.intake.reader import Part, Surveyed, parts_of
from pozytywka_spark.ingest.validate.line_work import by_source
from pozytywka_spark.ingest.validate.pass_one import named_part
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.storage.listed_file import ListedFile
from pozytywka_spark.lake.tasks import Result, TaskFiles, Tasks


@dataclass(frozen=True)
class HashWork:
    """Work on parts of files, of which `paths` are all: tells `source` and the `blocks` of each part."""

    storage: Storage
    paths: tuple[str, ...]

    def __call__(self, parts: Sequence[Part], _: TaskFiles) -> Iterator[Result]:
        """Read each part's bytes. A file that has gone, or that breaks off, has no hash."""
        numbers = {path: number for number, path in enumerate(self.paths)}
        for part in parts:
            blocks = Blocks()
            store, name = self.storage.at(part.path)
            try:
                with store.open_input_file(name) as source:
                    if part.of.can_be_split:
                        for _block in in_blocks(source, part.start, part.end, blocks):
                            pass
                    else:
                        blocks.whole(source).end()
            except OSError:
                blocks = Blocks()
            blocks_by_number = {str(number): block for number, block in blocks.by_number.items()}
            yield {"source": numbers[part.path], "blocks": blocks_by_number}


def may_be_touched(files: Sequence[ListedFile], read: Mapping[str, Version]) -> list[ListedFile]:
    """Files that were read in another version of the same size, whose bytes are known by their hash."""
    return [
        file
        for file in files
        if file.path in read and read[file.path].content_hash and read[file.path].size == file.size
    ]


def only_touched(
    tasks: Tasks, files: Sequence[Surveyed], read: Mapping[str, Version], storage: Storage
) -> dict[str, str]:
    """The hashes of those files that hold what was read of them before, by path."""
    paths = tuple(each.file.path for each in files)
    done = tasks.run(
        parts_of(files, tasks.slots),
        HashWork(storage, paths),
        weight=lambda part: part.cost,
        named=named_part,
    )
    hashes = {paths[source]: digest for source, (_, digest) in by_source(done.results).items()}
    return {path: digest for path, digest in hashes.items() if digest and digest == read[path].content_hash}

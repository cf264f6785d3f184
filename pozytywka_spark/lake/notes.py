"""Read the notes that writers left in the footers of data files, without the files' rows."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.file_writer import NOTED
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.storage.filesystem import Storage

_THREADS = 8  # a footer is a question or two of a store, and mostly waiting
_PREFIX = NOTED.encode()


def read_notes(storage: Storage, files: Sequence[DataFile]) -> list[dict[str, str]]:
    """What is noted in each file, in their order; nothing in files of other writers.

    Raises `LakeError` naming a file that is gone or damaged.
    """
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(partial(_read, storage), files))


def _read(storage: Storage, file: DataFile) -> dict[str, str]:
    try:
        store, name = storage.at(file.place)
        with store.open_input_file(name) as source:
            metadata = pq.read_metadata(source).metadata or {}
    except (OSError, pa.ArrowInvalid) as error:
        raise LakeError(f"{file.place} can't be read: {str(error).splitlines()[0]}") from error
    return {
        key.removeprefix(_PREFIX).decode(): text.decode()
        for key, text in metadata.items()
        if key.startswith(_PREFIX)
    }

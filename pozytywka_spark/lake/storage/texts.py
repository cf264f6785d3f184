"""Small texts in a folder beside the tables, by name, such as which files make a batch of an ingest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pyarrow import fs

from pozytywka_spark.lake.storage.filesystem import Storage


class Texts(Protocol):
    """Texts below one folder."""

    def read(self, below: str = "") -> Mapping[str, str]:
        """All texts in the folder, or in one below it, by name; none if it isn't there."""

    def write(self, name: str, text: str) -> None:
        """Put one down, whole or not at all."""


class ArrowTexts:
    """Implements `Texts` where files are opened without Spark."""

    def __init__(self, folder: str, storage: Storage) -> None:
        self._store, self._folder = storage.at(folder)

    def read(self, below: str = "") -> Mapping[str, str]:
        """See `Texts`."""
        texts = {}
        place = f"{self._folder}/{below}".rstrip("/")
        for info in self._store.get_file_info(fs.FileSelector(place, allow_not_found=True)):
            if info.type == fs.FileType.File and not info.base_name.startswith("."):
                with self._store.open_input_stream(info.path) as source:
                    texts[info.base_name] = source.read().decode()
        return texts

    def write(self, name: str, text: str) -> None:
        """See `Texts`: an object appears at its end, a local file by a rename."""
        local = isinstance(self._store, fs.LocalFileSystem)
        self._store.create_dir(self._folder, recursive=True)
        path = f"{self._folder}/{name}"
        written = f"{self._folder}/.{name}.new" if local else path
        with self._store.open_output_stream(written, compression=None) as target:
            target.write(text.encode())
        if local:
            self._store.move(written, path)

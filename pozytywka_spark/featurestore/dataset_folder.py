"""The folder of a data set: made once, whole as soon as its manifest is there, never written over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pyarrow import fs

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.featurestore.dataset_files import write_whole
from pozytywka_spark.featurestore.manifest import FileMade, Manifest, manifest_of
from pozytywka_spark.lake.storage.addresses import unambiguous
from pozytywka_spark.lake.storage.filesystem import Storage

# an underscore in front: readers of a folder of Parquet files pass over them
MANIFEST = "_manifest.json"
_BEING_MADE = "_being_made"
_OURS = re.compile(r"\.?part-\d{5,}\.parquet(\.[0-9a-f]{32}\.tmp)?")


@dataclass(frozen=True)
class DatasetFolder:
    """A folder that tasks can write to."""

    storage: Storage
    place: str

    @property
    def manifest_place(self) -> str:
        """Where its manifest is or will be."""
        return f"{self.place}/{MANIFEST}"

    def manifest(self) -> Manifest | None:
        """That of the data set that lies here whole, None without one.

        Raises `DataError` if what is here is no data set, not even half of one.
        """
        there = self._sizes()
        if MANIFEST in there:
            return read_manifest(self.storage, self.manifest_place)
        if there and _BEING_MADE not in there:
            raise DataError(
                f"--out {self.place}: it is not empty and holds no data set ({min(there)} and "
                f"{len(there) - 1} more): name another folder"
            )
        return None

    def holds(self, files: Sequence[FileMade]) -> bool:
        """Whether exactly these files are here, by their names and sizes."""
        sizes = {name: size for name, size in self._sizes().items() if _OURS.fullmatch(name)}
        return sizes == {file.file: file.bytes for file in files}

    def begin(self) -> None:
        """Say that a data set is being made here, then clear away what an earlier attempt left."""
        self.storage.make_parent(f"{self.place}/{_BEING_MADE}")
        write_whole(self.storage, f"{self.place}/{_BEING_MADE}", b"")
        for name in sorted(self._sizes(), key=lambda name: name != MANIFEST):  # first what says it is whole
            if name == MANIFEST or _OURS.fullmatch(name):
                self.storage.delete(f"{self.place}/{name}")

    def finish(self, manifest: Manifest) -> None:
        """Keep the manifest's files alone, and put the manifest beside them.

        Raises `DataError` if a file that a task wrote isn't here.
        """
        made = {file.file for file in manifest.files}
        for name in self._sizes():
            if _OURS.fullmatch(name) and name not in made:
                self.storage.delete(f"{self.place}/{name}")
        if not self.holds(manifest.files):
            raise DataError(
                f"--out {self.place}: files that were written there aren't there: name a folder that the "
                "machines of all tasks share"
            )
        write_whole(self.storage, self.manifest_place, manifest.as_text().encode())
        self.storage.delete(f"{self.place}/{_BEING_MADE}")

    def _sizes(self) -> dict[str, int]:
        """Bytes of each file by name; folders inside count as files without any."""
        store, name = self.storage.at(self.place)
        inside = store.get_file_info(fs.FileSelector(name, allow_not_found=True))
        return {info.base_name: info.size or 0 for info in inside}


def open_folder(storage: Storage, out: str) -> DatasetFolder:
    """The folder of `--out`, which needn't be there. Raises `UsageError` if tasks couldn't write to it."""
    place = storage.plain(unambiguous(out))
    if not storage.opens(place):
        raise UsageError(f"--out {out}: expected a local folder, or one on s3:// by the settings s3")
    store, name = storage.at(place)
    if store.get_file_info(name).type == fs.FileType.File:
        raise UsageError(f"--out {out}: it is a file, expected a folder")
    return DatasetFolder(storage, place)


def read_manifest(storage: Storage, path: str) -> Manifest:
    """The manifest in a file, or in the folder of a data set. Raises `DataError` if there is none."""
    place = storage.plain(unambiguous(path))
    if not storage.opens(place):
        raise DataError(f"{path}: there is no such file")
    store, name = storage.at(place)
    if store.get_file_info(name).type == fs.FileType.Directory:
        place, name = f"{place}/{MANIFEST}", f"{name}/{MANIFEST}"
    if store.get_file_info(name).type != fs.FileType.File:
        raise DataError(f"{place}: there is no such file")
    with store.open_input_stream(name) as source:
        content = bytes(source.read())
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{place} is no manifest of a data set: expected the {MANIFEST} of one") from error
    return manifest_of(text, place)

"""A folder on any file system that pyarrow knows: local, S3, HDFS, Google Cloud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyarrow import fs

from pozytywka_spark.lake.storage import paths


@dataclass(frozen=True)
class Folder:
    """`uri` as Spark takes it; `path` as `files` takes it."""

    uri: str
    files: fs.FileSystem
    path: str

    @classmethod
    def at(cls, uri: str) -> Folder:
        """The folder at a URI (`s3a` is `s3`) or a local path."""
        if "://" not in uri:
            local = paths.absolute(uri)
            return cls(local, fs.LocalFileSystem(), local)
        files, path = fs.FileSystem.from_uri(uri.replace("s3a://", "s3://", 1))
        return cls(uri.rstrip("/"), files, path.rstrip("/"))

    def exists(self) -> bool:
        """Whether anything is there."""
        return bool(self.files.get_file_info(self.path).type != fs.FileType.NotFound)

    def is_empty(self) -> bool:
        """Whether nothing is inside, or it isn't there at all."""
        return not self.exists() or not self.files.get_file_info(fs.FileSelector(self.path))

    def child(self, name: str) -> Folder:
        """A folder inside this one."""
        return Folder(f"{self.uri}/{name}", self.files, f"{self.path}/{name}")

    def sibling(self, suffix: str) -> Folder:
        """A folder beside this one, named after it."""
        return Folder(self.uri + suffix, self.files, self.path + suffix)

    def read(self, name: str) -> str | None:
        """The text of a file inside, None if it isn't there."""
        if self.files.get_file_info(f"{self.path}/{name}").type != fs.FileType.File:
            return None
        with self.files.open_input_stream(f"{self.path}/{name}") as stream:
            return bytes(stream.read()).decode()

    def texts(self, suffix: str) -> Iterator[str]:
        """The text of each file inside with this ending, by name."""
        infos = self.files.get_file_info(fs.FileSelector(self.path))
        for name in sorted(info.base_name for info in infos if info.base_name.endswith(f".{suffix}")):
            yield self.read(name) or ""

    def write(self, name: str, text: str) -> None:
        """A text file inside."""
        self.write_bytes(name, text.encode())

    def write_bytes(self, name: str, data: bytes) -> None:
        """A file inside."""
        self.files.create_dir(self.path, recursive=True)
        with self.files.open_output_stream(f"{self.path}/{name}") as stream:
            stream.write(data)

    def size(self) -> int:
        """Bytes of all files inside."""
        infos = self.files.get_file_info(fs.FileSelector(self.path, recursive=True))
        return sum(info.size for info in infos if info.type == fs.FileType.File)

    def delete(self) -> None:
        """Remove the folder and all in it, if it is there."""
        if self.exists():
            self.files.delete_dir(self.path)

    def move_to(self, other: Folder) -> None:
        """Take `other`'s place."""
        other.delete()
        self.files.move(self.path, other.path)

    def adopt_parts(self, written: str, into: str, suffix: str) -> None:
        """Move what Spark wrote to `into/part-00000.suffix` and so on: names that stay the same."""
        source = f"{self.path}/{written}"
        target = f"{self.path}/{into}".rstrip("/")
        self.files.create_dir(target, recursive=True)
        for info in self.files.get_file_info(fs.FileSelector(source)):
            if info.base_name.startswith("part-"):
                number = info.base_name.split("-")[1]
                self.files.move(info.path, f"{target}/part-{number}.{suffix}")
        self.files.delete_dir(source)

"""Addresses of files and folders: as people write them, as Spark writes them."""

from __future__ import annotations

import re
from urllib.parse import unquote

from pozytywka_spark.lake.storage import paths


def unambiguous(path: str) -> str:
    """A local path made absolute, without `..`: one folder has one name. Another address as it is."""
    if re.match(r"^\w+:/", path):
        return path.rstrip("/")
    return paths.absolute(path)


def plain_path(address: str) -> str:
    """A path as a person writes it, of a `file:` address; addresses of other kinds stay whole.

    >>> plain_path("file:///data/raw"), plain_path("s3://bucket/raw")
    ('/data/raw', 's3://bucket/raw')
    """
    return re.sub(r"^file:/+", "/", address)


def decoded_path(address: str) -> str:
    """The plain path of an address whose odd characters are percent-encoded."""
    return plain_path(unquote(address))


def with_host(address: str, file: str) -> str:
    """An address without a host (`hdfs:///raw`) with the one that Spark found for a file below it.

    >>> with_host("hdfs:///raw", "hdfs://name-node:8020/raw/users.jsonl")
    'hdfs://name-node:8020/raw'
    """
    scheme, separator, path = address.partition(":///")
    if not separator or not file.startswith(f"{scheme}://"):
        return address
    host = file.removeprefix(f"{scheme}://").partition("/")[0]
    return f"{scheme}://{host}/{path}"


def escape_glob(path: str) -> str:
    r"""A path in which no character is taken as a pattern.

    >>> print(escape_glob("/raw/2023 [new]"))
    /raw/2023 \[new\]
    """
    return re.sub(r"([\\*?{}\[\]])", r"\\\1", path)

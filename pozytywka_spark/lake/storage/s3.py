"""Reach an S3-compatible store, from the driver and from tasks. No secret is kept or shipped.

Credentials come from the environment of each process, or from the machine's role, as for any AWS tool.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pyarrow import fs

from pozytywka_spark.errors import LakeError

if TYPE_CHECKING:  # as in storage
    from pozytywka_spark.config import S3

_SCHEMES = ("s3://", "s3a://")
# What every reader of Delta tables spells alike, however it encodes addresses.
_PLAIN = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,62}(/[A-Za-z0-9_.=-]+)*")
_UNSIGNED_REGION = "us-east-1"  # servers that aren't Amazon's take any; a region must be signed for


@dataclass(frozen=True)
class Endpoint:
    """Which server. `url` is None for Amazon's own."""

    url: str | None
    region: str
    path_style: bool

    def for_delta(self) -> dict[str, str]:
        """Options of `deltalake`: the log's next entry is put only where there is none (conditional put)."""
        options = {
            "AWS_REGION": self.region,
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": str(not self.path_style).lower(),
            "aws_conditional_put": "etag",
        }
        if self.url is not None:
            options |= {
                "AWS_ENDPOINT_URL": self.url,
                "AWS_ALLOW_HTTP": str(self.url.startswith("http://")).lower(),
            }
        return options


def is_s3(place: str) -> bool:
    """Whether an address is of such a store."""
    return place.startswith(_SCHEMES)


def endpoint(settings: S3) -> Endpoint:
    """The server that settings name, else the environment, as other AWS tools read it."""
    region = settings.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    url = settings.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return Endpoint(url.rstrip("/") if url else None, region or _UNSIGNED_REGION, settings.path_style)


def address(place: str) -> str:
    """`s3://bucket/…` of `s3://` or Hadoop's `s3a://`."""
    return "s3://" + place.partition("://")[2].strip("/")


def root_address(root: str) -> str:
    """The same of a lake's root.

    Raises `LakeError` for names that readers of the table would spell in different ways.
    """
    parsed = address(root)
    if not _PLAIN.fullmatch(parsed):
        raise LakeError(f"lake.root {root}: expected s3://bucket/folder in letters, digits and . _ = - only")
    return parsed


def key(place: str) -> str:
    """`bucket/key` of an address, as `filesystem` takes it."""
    return place.partition("://")[2]


@lru_cache(maxsize=8)
def filesystem(server: Endpoint) -> fs.S3FileSystem:
    """The store as Arrow reads and writes it: one a process, for it keeps connections."""
    url = urlsplit(server.url) if server.url else None
    return fs.S3FileSystem(
        region=server.region,
        endpoint_override=url.netloc if url else None,
        scheme=url.scheme if url else "https",
        force_virtual_addressing=not server.path_style,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=5),
    )

"""An S3-compatible server on loopback for the tests of a process: moto's, in a process of its own.

Not in a thread of ours: `deltalake` holds Python's lock while it waits for an answer.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from pyarrow import fs

LOOPBACK = "127.0.0.1"
BUCKET = "pozytywka-tests"
REGION = "eu-central-1"
# The server takes any; Spark's Python workers have theirs from the environment the session started in.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class S3Server:
    """Where it listens, and a client of its own for looking at what others left there."""

    url: str
    files: fs.S3FileSystem

    @property
    def overrides(self) -> list[str]:
        """Settings that reach it."""
        return [f"s3.endpoint={self.url}", f"s3.region={REGION}"]

    def folder(self) -> str:
        """An address that nobody has used."""
        return f"s3://{BUCKET}/{uuid4().hex}"


def pytest_configure() -> None:
    """Before the session starts, and for the processes that tests start."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= CREDENTIALS


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A running server with one empty bucket."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.s3_process", str(port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"http://{LOOPBACK}:{port}"
        _wait_for(url, process)
        files = fs.S3FileSystem(
            endpoint_override=url.removeprefix("http://"),
            scheme="http",
            region=REGION,
            allow_bucket_creation=True,
        )
        files.create_dir(BUCKET)
        yield S3Server(url, files)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 180  # seconds on a quiet machine; it imports much
    while True:
        try:
            opener.open(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the S3 server did not start; is moto[s3] installed?") from None
            time.sleep(0.1)

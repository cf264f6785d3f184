"""Processes that read while another writes, and writers that are killed: whole batches, or none."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pozytywka_spark.featurestore.stores import OvertakenError, open_store

KEYS = [str(number) for number in range(60)]
# each batch is of one number, in every byte of every value
WRITER = f"""
import itertools, sys
from pozytywka_spark.featurestore.stores import open_store
with open_store(sys.argv[1], create=True) as store:
    epoch = store.begin("v")
    print(epoch, flush=True)
    for number in itertools.count():
        value = bytes([number % 256]) * 950
        store.write_many("v", {KEYS!r}, [value] * {len(KEYS)}, epoch)
"""
READER = f"""
import sys, time
from pozytywka_spark.featurestore.stores import open_store
seen, reads, end = set(), 0, time.monotonic() + 100
with open_store(sys.argv[1]) as store:
    # on a busy machine many reads may pass between two writes
    while (reads < 120 or len(seen) < 2) and time.monotonic() < end:
        reads += 1
        values = set(store.get_many("v", {KEYS!r}))
        assert len(values) == 1, "half of a batch"
        value = values.pop()
        assert len(value) == 950 and len(set(value)) == 1, "half of a value"
        seen.add(value[0])
print(len(seen))
"""


@pytest.fixture(params=["lmdb", "redis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty store of each kind."""
    if request.param == "redis":
        return str(request.getfixturevalue("redis_address"))
    return f"lmdb:{tmp_path / 'store'}"


def start(script: str, address: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, address], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def begun(writer: subprocess.Popen[str]) -> int:
    """Its epoch, once it has one."""
    assert writer.stdout is not None
    return int(writer.stdout.readline())


def test_processes_read_whole_batches_while_another_writes(address: str) -> None:
    writer = start(WRITER, address)
    try:
        begun(writer)
        with open_store(address) as store:
            while store.get_many("v", KEYS)[0] is None:
                time.sleep(0.01)
        readers = [start(READER, address) for _ in range(2)]
        told = [reader.communicate(timeout=120) for reader in readers]
    finally:
        writer.kill()
        writer.communicate()
    for reader, (out, errors) in zip(readers, told, strict=True):
        assert reader.returncode == 0, errors
        assert int(out) > 1, "it read while there was writing"


def test_a_killed_writer_leaves_whole_batches_and_is_followed(address: str) -> None:
    dice = random.Random(5)
    for number in range(3):
        writer = start(WRITER, address)
        try:
            epoch = begun(writer)
            time.sleep(dice.uniform(0.0, 0.15))
        finally:
            writer.kill()
            writer.communicate()
        assert epoch == number + 1
        with open_store(address) as store:
            values = set(store.get_many("v", KEYS))
            assert len(values) == 1, "half of a batch"
            value = values.pop()
            assert value is None or (len(value) == 950 and len(set(value)) == 1)


def test_a_writer_that_goes_on_is_stopped_by_the_next(address: str) -> None:
    """As tasks of a killed run that are still alive: nothing of them lands after the next has begun."""
    writer = start(WRITER, address)
    try:
        epoch = begun(writer)
        with open_store(address) as store:
            mine = store.begin("v")
            assert mine == epoch + 1
            store.write_many("v", KEYS, [b"mine"] * len(KEYS), mine)
            _, errors = writer.communicate(timeout=60)
            assert "another materialize began after this one" in errors
            assert set(store.get_many("v", KEYS)) == {b"mine"}
            with pytest.raises(OvertakenError):
                store.write_many("v", KEYS, [b"x"] * len(KEYS), epoch)
    finally:
        writer.kill()
        writer.communicate()

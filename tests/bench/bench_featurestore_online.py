"""The online store beside what it is made of: bare writers, GET and MGET, a route that answers a constant.

    python -m tests.bench.bench_featurestore_online [--keys 1000000] [--only writers client endpoint]

`writers`: that many keys of 115 doubles (a tenth null) in Parquet files of 100,000 rows, read, packed and
written by one process into each store; beside it a bare writer of as many ready bytes; keys a second of the
clock, and of the processors of both sides, with the largest resident size at a tenth of the keys and at all.
`client`: one key and 500, in turns with a bare GET and MGET of as many bytes on the same connection's like.
`endpoint`: one key over HTTP, in turns with a route that answers a constant. Needs an idle machine: what is
told of the slowest hundredth is the machine's otherwise. A Redis is started for it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import lmdb
import numpy as np
import polars as pl
import redis

from pozytywka_spark.featurestore.client import FeatureClient
from pozytywka_spark.featurestore.codec import Schema
from pozytywka_spark.featurestore.packing import packed_slices
from pozytywka_spark.featurestore.record import DAY, SERVICES, ServiceRecord, ViewRecord
from pozytywka_spark.featurestore.stores import open_store
from tests.redis_server import running_redis

FILE_ROWS = 100_000
NAMES = tuple(f"feature_{number:03}" for number in range(115))
VIEW = "user_month"
SCHEMA = Schema(VIEW, NAMES)
NEWEST = 1_682_899_200_000_000
RECORD = ViewRecord(VIEW, "user", "features", NAMES, ttl=62 * DAY, newest=NEWEST)
ONE_KEY, MANY_KEYS, ASKED = 5_000, 200, 500


def main() -> None:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="*", default=["writers", "client", "endpoint"])
    parser.add_argument("--write", nargs=2, metavar=("ADDRESS", "FOLDER"), help="its own: one writer")
    parser.add_argument("--serve", metavar="ADDRESS", help="its own: one endpoint, or `constant`")
    args = parser.parse_args()
    if args.write:
        return write(args.write[0], Path(args.write[1]), args.keys)
    if args.serve:
        return serve(args.serve)
    with tempfile.TemporaryDirectory() as home, running_redis() as server:
        folder = Path(home)
        addresses = [f"lmdb:{folder / 'store'}", f"{server}/0"]
        rows = args.keys if "writers" in args.only else FILE_ROWS
        make_files(folder / "rows", rows)
        for address in addresses:
            writers(address, folder, server, rows, told="writers" in args.only)
        if "client" in args.only:
            for address in addresses:
                client(address)
        if "endpoint" in args.only:
            for address in addresses:
                endpoint(address)
    return None


def make_files(folder: Path, rows: int) -> None:
    """Parquet files of the view's rows."""
    folder.mkdir()
    for start in range(0, rows, FILE_ROWS):
        count = min(FILE_ROWS, rows - start)
        random = np.random.default_rng(start)
        columns = {name: random.normal(size=count) for name in NAMES}
        frame = pl.DataFrame(columns).with_columns(
            pl.when(pl.col(name) < 1.28).then(pl.col(name)) for name in NAMES
        )
        keys = (pl.int_range(start, start + count, dtype=pl.Int64) * 7919 + 1_000_000_007).cast(pl.String)
        made = frame.with_columns(keys.alias("key"), known_at=pl.lit(NEWEST), version=pl.lit(9))
        made.write_parquet(folder / f"{start:09}.parquet", compression="zstd", row_group_size=20_000)


def key(number: int) -> str:
    """The key of a row."""
    return str(number * 7919 + 1_000_000_007)


def write(address: str, folder: Path, rows: int) -> None:
    """Read, pack, write; tells seconds, seconds of this processor and its largest size in MB."""
    with open_store(address, create=True) as store:
        start, began = time.perf_counter(), time.process_time()
        epoch = store.begin(VIEW)
        store.declare(SCHEMA, epoch)
        for file in sorted(folder.glob("*.parquet"))[: -(-rows // FILE_ROWS)]:
            for group in range(0, FILE_ROWS, 20_000):
                frame = pl.scan_parquet(file).slice(group, 20_000).collect()
                for packed in packed_slices(SCHEMA, frame):
                    store.write_many(VIEW, packed.keys, packed.values, epoch)
        store.set_meta(VIEW, RECORD.plain(), epoch)
        store.set_note(SERVICES, {"premium": ServiceRecord("premium", columns()).plain()})
        taken = [time.perf_counter() - start, time.process_time() - began]
    print(json.dumps([*taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3]))


def columns() -> tuple[tuple[str, str], ...]:
    """Of the service: the view's."""
    return tuple((VIEW, name) for name in NAMES)


def writers(address: str, home: Path, server: str, rows: int, *, told: bool) -> None:
    """A tenth, then all, by a process of its own; then a bare writer."""
    kind = address.partition(":")[0]
    for count in (rows // 10, rows) if told else (rows,):
        empty(address)
        before = processor_of(server)
        command = [sys.executable, "-m", "tests.bench.bench_featurestore_online", "--keys", str(count)]
        done = subprocess.run(
            [*command, "--write", address, str(home / "rows")], check=True, stdout=subprocess.PIPE, text=True
        )
        seconds, own, peak = json.loads(done.stdout)
        processor = own + processor_of(server) - before
        with open_store(address) as store:
            size = store.size(VIEW)
        if told:
            print(
                f"{size.keys:>9,} keys read, packed, written to {kind}: {seconds:.1f} s, "
                f"{size.keys / seconds:,.0f} a second, {size.keys / processor:,.0f} a second of processors; "
                f"peak {peak:.0f} MB; {size.bytes_a_key:,.0f} bytes a key",
                flush=True,
            )
    if told:
        bare = bare_lmdb(home) if kind == "lmdb" else bare_redis(server)
        print(f"          a bare writer to {kind}: {bare:,.0f} a second", flush=True)


def empty(address: str) -> None:
    """Nothing is in it."""
    if address.startswith("lmdb:"):
        shutil.rmtree(address.removeprefix("lmdb:"), ignore_errors=True)
    else:
        with redis.Redis.from_url(address) as client:
            client.flushall()


def processor_of(server: str) -> float:
    """Seconds that the Redis there has computed."""
    with redis.Redis.from_url(f"{server}/0") as client:
        told = client.info("cpu")
    return float(told["used_cpu_user"]) + float(told["used_cpu_sys"])


def bare_redis(server: str, count: int = 100_000) -> float:
    """Keys a second by SET in pipelines of 1,000."""
    value = os.urandom(SCHEMA.width)
    with redis.Redis.from_url(f"{server}/1") as client:
        start = time.perf_counter()
        for first in range(0, count, 1_000):
            pipeline = client.pipeline(transaction=False)
            for number in range(first, first + 1_000):
                pipeline.set(key(number), value)
            pipeline.execute()
        seconds = time.perf_counter() - start
        client.flushdb()
    return count / seconds


def bare_lmdb(home: Path, count: int = 100_000) -> float:
    """Keys a second by puts in transactions of 10,000."""
    value = os.urandom(SCHEMA.width)
    with lmdb.open(str(home / "bare"), map_size=1 << 34) as environment:
        start = time.perf_counter()
        for first in range(0, count, 10_000):
            with environment.begin(write=True) as transaction:
                for number in range(first, first + 10_000):
                    transaction.put(key(number).encode(), value)
        return count / (time.perf_counter() - start)


def client(address: str) -> None:
    """One key and 500, in turns with the bare read."""
    kind = address.partition(":")[0]
    random = np.random.default_rng(3)
    with FeatureClient.open(address) as features:
        bare_of, many_of = bare_reads(address, features)
        ones = [key(int(number)) for number in random.integers(0, FILE_ROWS, ONE_KEY)]
        report(f"client over {kind}, one key", in_turns(ones, lambda one: features.get(VIEW, [one]), bare_of))
        lists = [[key(int(n)) for n in random.integers(0, FILE_ROWS, ASKED)] for _ in range(MANY_KEYS)]
        timed = in_turns(lists, lambda many: features.get(VIEW, many), many_of)
        report(f"client over {kind}, {ASKED} keys", timed)


def bare_reads(
    address: str, features: FeatureClient
) -> tuple[Callable[[str], object], Callable[[list[str]], object]]:
    """A GET and an MGET of the store's own library, of the same keys' bytes."""
    if address.startswith("lmdb:"):
        store = features._store
        return lambda one: store.get_many(VIEW, [one]), lambda many: store.get_many(VIEW, many)
    bare = redis.Redis.from_url(address)
    start = f"pozytywka/{VIEW}/"
    return lambda one: bare.get(start + one), lambda many: bare.mget([start + one for one in many])


def endpoint(address: str) -> None:
    """One key over HTTP, in turns with a constant."""
    kind = address.partition(":")[0]
    with Server(address) as ours, Server("constant") as theirs:
        ones = [[key(int(n))] for n in np.random.default_rng(4).integers(0, FILE_ROWS, ONE_KEY)]
        lists = [[key(n) for n in range(first, first + ASKED)] for first in range(0, 50_000, ASKED)]
        for asked, name in ((ones, "one key"), (lists, f"{ASKED} keys")):
            timed = in_turns(asked, ours.ask, theirs.ask)
            report(f"endpoint over {kind}, {name}", timed)


class Server:
    """A process that serves, and a connection to it."""

    def __init__(self, address: str) -> None:
        command = [sys.executable, "-m", "tests.bench.bench_featurestore_online", "--serve", address]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        port = int(self._process.stdout.readline().rpartition(":")[2])
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            try:
                self._connection.connect()
                break
            except OSError:
                time.sleep(0.05)

    def ask(self, keys: Sequence[str]) -> None:
        """Features of the keys, which the constant's route doesn't read."""
        body = json.dumps({"service": "premium", "keys": keys})
        self._connection.request("POST", "/v1/features", body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def serve(address: str) -> None:
    """An endpoint on that store, or a route that answers a constant."""
    if address == "constant":
        import socket

        import uvicorn
        from fastapi import FastAPI

        app = FastAPI()

        @app.post("/v1/features")
        async def constant() -> dict[str, int]:
            return {"answer": 1}

        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        print(f"http://127.0.0.1:{port}", flush=True)
        uvicorn.run(app, port=port, log_level="warning", access_log=False)
        return
    from pozytywka_spark.config import load_settings
    from pozytywka_spark.featurestore.serve import run
    from pozytywka_spark.featurestore.serve.champion import Registry

    run.mlflow_registry = lambda settings: Registry(lambda: None, None)  # type: ignore[assignment,arg-type]
    settings = load_settings("local", [f"featurestore.address={address}"])
    run.serve(settings, 0, say=lambda line: print(line, flush=True))


Timed = tuple[Sequence[float], Sequence[float]]


def in_turns(items: Sequence[object], ours: Callable[..., object], bare: Callable[..., object]) -> Timed:
    """Milliseconds of each call, after a hundredth to get warm."""
    both: tuple[list[float], list[float]] = ([], [])
    for item in [*items[: len(items) // 100 + 10], *items]:
        for work, times in zip((ours, bare), both, strict=True):
            start = time.perf_counter()
            work(item)
            times.append((time.perf_counter() - start) * 1e3)
    return both[0][-len(items) :], both[1][-len(items) :]


def report(name: str, timed: Timed) -> None:
    """Medians, the slowest hundredth, and how many times the bare one."""
    (half, slow), (bare, bare_slow) = (np.percentile(times, [50, 99]) for times in timed)
    print(
        f"{name}: median {half:.3f} ms, 99% within {slow:.3f} ms; bare {bare:.3f} and {bare_slow:.3f} ms; "
        f"{half / bare:.2f} times",
        flush=True,
    )


if __name__ == "__main__":
    main()

"""A training set of a million rows: how long it takes, beside DuckDB's ASOF JOIN over the same files.

    python -m tests.bench.bench_featurestore_dataset [--rows 1000000] [--users 20000] [--months 24]
        [--keep FOLDER]

The lake is made up: a row of all features for each user and month. The spine has users at random, a twentieth
of them unknown, and moments at random over the same months and three more, so that nearly all rows get all
values: the most there can be to write. DuckDB joins the table's files with two threads, drops what has
expired and writes Parquet with the same compression, rows in no order. Seconds count from a session that has
started. What both wrote is compared: rows by status, and of each column how many values and their sum.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.featurestore.dataset import make_dataset
from pozytywka_spark.featurestore.declared import TTL_DAYS, USER_MONTH, declared_of
from pozytywka_spark.lake import Lake, open_lake
from pozytywka_spark.months import month_after
from pozytywka_spark.schemas import features_table
from pozytywka_spark.spark.session import build_session
from pozytywka_spark.spark.session_on_demand import session_on_demand
from tests.bench.kept_worlds import worlds
from tests.bench.memory import most_together

ROOT = Path(__file__).resolve().parents[2]
FIRST = datetime(2022, 1, 1, tzinfo=UTC)
TIMES, PLUS = 3.0, 10.0  # the bound: so many times DuckDB's seconds, and so many more
THREADS = 2
OURS, THEIRS = "ours", "duckdb"


def settings_of(folder: Path) -> Settings:
    """A home of its own."""
    return load_settings("local", [f"home={folder}"])


def make_lake(folder: Path, users: int, months: int) -> None:
    """A features table, unless it is there."""
    settings = settings_of(folder)
    if (folder / "lake" / "features").exists():
        return
    lake = open_lake(settings, session_on_demand(settings, "bench"))
    names = declared_of(settings).view(USER_MONTH).names
    dice = np.random.default_rng(1)
    for number in range(months):
        month = month_after(FIRST.date(), number)
        values = {name: dice.normal(size=users).round(3) for name in names}
        rows = pl.DataFrame({"user_id": np.arange(users), **values}).with_columns(
            pl.lit(month).alias("month")
        )
        lake.append(rows.to_arrow(), features_table(names))


def make_spine(folder: Path, rows: int, users: int, months: int) -> Path:
    """The same one each time."""
    place = folder / f"spine-{rows}.parquet"
    dice = np.random.default_rng(2)
    begin = int(FIRST.timestamp()) * 1_000_000
    end = begin + (months + 3) * 30 * 86_400_000_000
    moments = pl.Series(dice.integers(begin, end, rows)).cast(pl.Datetime("us", "UTC"))
    users_asked = dice.integers(0, users + users // 20, rows)
    pl.DataFrame({"user_id": users_asked, "as_of": moments, "row": np.arange(rows)}).write_parquet(place)
    return place


def ours(folder: Path, spine: Path) -> float:
    """Seconds of one data set."""
    settings = settings_of(folder)
    spark = build_session(settings, "bench of data sets")
    spark.range(1).count()
    lake = open_lake(settings, spark)
    begin = time.perf_counter()
    make_dataset(settings, lake, str(spine), str(folder / OURS), views=[USER_MONTH])
    seconds = time.perf_counter() - begin
    spark.stop()
    return seconds


def theirs(folder: Path, spine: Path, names: Sequence[str]) -> float:
    """Seconds of the join by DuckDB, as one would write it."""
    files = lake_of(folder).files("features")
    places = [str(folder / "lake" / "features" / file) for file in files]
    alive = f"as_of - known_at < interval {TTL_DAYS} days"
    values = ", ".join(f"case when {alive} then {name} end as {name}" for name in names)
    (folder / THEIRS).mkdir(exist_ok=True)
    begin = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute(f"set threads = {THREADS}")
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            f"""
            copy (
                with known as (
                    select *, ((month + interval 1 month)::timestamp) at time zone 'UTC' as known_at
                    from read_parquet({places}, hive_partitioning = true)
                )
                select spine.*, {values}, known_at, case
                    when known_at is null then 'missing'
                    when {alive} then 'present' else 'expired' end as status
                from read_parquet('{spine}') spine asof left join known
                    on spine.user_id = known.user_id and spine.as_of >= known.known_at
            ) to '{folder / THEIRS / "part-0.parquet"}' (format parquet, compression zstd)
            """
        )
    return time.perf_counter() - begin


def lake_of(folder: Path) -> Lake:
    """Without a session."""
    settings = settings_of(folder)
    return open_lake(settings, session_on_demand(settings, "bench"))


def summary(folder: Path, status: str, names: Sequence[str]) -> tuple[list[tuple[object, ...]], list[float]]:
    """Rows by status, and of each column its values and their sum."""
    rows = pl.scan_parquet(f"{folder}/*.parquet")
    counts = rows.group_by(pl.col(status).alias("status")).len().collect().sort("status").rows()
    sums = rows.select([pl.col(names).count().name.suffix("_n"), pl.col(names).sum()]).collect().row(0)
    return counts, [float(value) for value in sums]


def alone(which: str, folder: Path, spine: Path) -> tuple[float, float]:
    """Seconds, and the most memory of a process of its own and all that it starts."""
    argv = [sys.executable, "-m", "tests.bench.bench_featurestore_dataset", "--alone", which]
    shutil.rmtree(folder / which, ignore_errors=True)
    process = subprocess.Popen(
        [*argv, "--keep", str(folder), "--spine", str(spine)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    memory = most_together(process)
    out = process.communicate()[0].strip().splitlines()
    if process.returncode:
        raise SystemExit(f"{which} ended with exit code {process.returncode}")
    return float(json.loads(out[-1])), memory


def main(argv: Sequence[str] | None = None) -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the lake and both data sets stay")
    parser.add_argument("--alone", choices=[OURS, THEIRS], help=argparse.SUPPRESS)
    parser.add_argument("--spine", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.alone:
        names = declared_of(settings_of(args.keep)).view(USER_MONTH).names
        work = ours if args.alone == OURS else lambda folder, spine: theirs(folder, spine, names)
        print(json.dumps(work(args.keep, args.spine)))
        return
    with worlds(args.keep) as folder:
        make_lake(folder, args.users, args.months)
        spine = make_spine(folder, args.rows, args.users, args.months)
        names = declared_of(settings_of(folder)).view(USER_MONTH).names
        peer, peer_memory = alone(THEIRS, folder, spine)
        seconds, memory = alone(OURS, folder, spine)
        bound = TIMES * peer + PLUS
        print(f"{args.rows:,} rows, {len(names)} features, a table of {args.users * args.months:,} rows")
        print(f"DuckDB    {peer:6.1f} s, {peer_memory:.2f} GB")
        limits = f"at most {bound:.1f} s: {TIMES:g} times and {PLUS:g} s"
        print(f"data set  {seconds:6.1f} s, {memory:.2f} GB; {limits}")
        found = [
            summary(folder / THEIRS, "status", names),
            summary(folder / OURS, f"{USER_MONTH}__status", names),
        ]
        same = found[0][0] == found[1][0] and np.allclose(found[0][1], found[1][1], rtol=1e-9, atol=1e-6)
        print(f"rows by status {found[1][0]}; both hold {'the same' if same else 'DIFFERENT VALUES'}")


if __name__ == "__main__":
    main()

"""The analysts' 25 features by DuckDB, from the Parquet files of a lake to one file."""

from __future__ import annotations

import resource
from pathlib import Path

import duckdb

from tests.bench.timed import seconds
from tests.features import oracle

_TABLES = ("users", "artists", "tracks", "track_storage", "events")


def with_duckdb(root: str, out: Path, memory: str) -> tuple[float, float]:
    """Seconds with two threads, and peak memory in GB, in this process, which is to be a fresh one."""
    con = _views(root, memory)
    query = f"copy ({oracle.analysts_query()}) to '{out}' (format parquet)"
    taken = seconds(lambda: con.execute(query))
    return taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _views(root: str, memory: str) -> duckdb.DuckDBPyConnection:
    """Views over the files under the names that the tests' oracle uses."""
    con = duckdb.connect(config={"threads": 2, "memory_limit": memory.upper() + "B"})
    con.execute("set timezone = 'UTC'")
    con.execute("set enable_progress_bar = false")
    for name in _TABLES:
        files = f"{root.removeprefix('file:')}/{name}/**/*.parquet"
        con.execute(f"create view {name} as select * from read_parquet('{files}', hive_partitioning = true)")
    con.execute("""
        create view t as
        select * replace (explicit::int as explicit), epoch(release_date) as released from tracks
    """)
    con.execute("""
        create view e as select user_id, event_time::timestamp as timestamp, event_type, track_id, session_id,
            event_month::timestamp as month, event_month::timestamp + interval 1 month as cut_off from events
    """)
    con.execute("create view bought as select user_id, min(timestamp) as at from e "
                "where event_type = 'BUY_PREMIUM' group by user_id")  # fmt: skip
    con.execute("""
        create view rows as select distinct e.user_id, e.month, e.cut_off
        from e left join bought b using (user_id) where b.at is null or not (b.at < e.cut_off)
    """)
    return con

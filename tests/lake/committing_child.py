"""One of several processes that commit to a table; no Spark: only the log is raced for."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from pozytywka_spark.lake import Txn, types
from pozytywka_spark.lake.delta_rs import log
from pozytywka_spark.schemas import table

COMMITS = 12


def commit_all(pipe: Connection, path: str, name: str) -> None:
    """Once told to: a file a commit, each commit twice; then tell that it is done."""
    pipe.recv()
    schema = table("raced", "k bigint", keys=["k"])
    for number in range(COMMITS):
        file = f"{name}-{number}.parquet"
        Path(path).mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"k": [number]}), f"{path}/{file}")
        add = AddAction(file, Path(path, file).stat().st_size, {}, 0, True, '{"numRecords":1}')
        change = log.Change("raced", "APPEND", [add], types.to_delta(schema), (), txn=Txn(name, number))
        assert log.commit(path, change) is not None
        assert log.commit(path, change) is None
    pipe.send("done")

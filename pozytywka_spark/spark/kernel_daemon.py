"""Spark's Python worker daemon for jobs whose tasks run kernels only.

As `python_daemon`, but without the libraries of training and scoring: these take four seconds of CPU to
load, more than all that a small ingest does. Polars is left to the workers: it starts threads, and a worker
that is forked after Polars has run a query hangs for ever.
"""

import gc
import os
from importlib import import_module

from pozytywka_spark.spark.unzipped import prefer_files

os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
prefer_files()

gc.disable()  # what is loaded here stays
LOADED = tuple(
    map(
        import_module,
        ("numpy", "pyarrow", "pyspark.sql.pandas.serializers", "pyspark.worker", "pozytywka_spark.schemas"),
    )
)
gc.enable()

if __name__ == "__main__":
    from pyspark import daemon

    gc.freeze()  # a worker collects garbage after each task: there is none in what all of them share
    daemon.manager()

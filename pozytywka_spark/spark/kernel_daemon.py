"""Spark's Python worker daemon for jobs whose tasks run kernels only.

As `python_daemon`, but without the libraries of training and scoring: these take four seconds of CPU to
load, more than all that a small ingest does. Polars is left to the workers: it starts threads, and a worker
that is forked after Polars has run a query hangs for ever.
"""

import os

from pozytywka_spark.spark.unzipped import prefer_files
from pozytywka_spark.spark.worker_libraries import load, serve

os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
prefer_files()

load("numpy", "pyarrow", "pyspark.sql.pandas.serializers", "pyspark.worker", "pozytywka_spark.schemas")

if __name__ == "__main__":
    serve()

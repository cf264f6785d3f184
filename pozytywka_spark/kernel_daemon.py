"""Spark's Python worker daemon for jobs whose tasks run kernels only.

As `worker_daemon`, but without the libraries of training and scoring: these take four seconds of CPU to
load, more than all that a small ingest does. Polars is left to the workers: it starts threads, and a worker
that is forked after Polars has run a query hangs for ever.
"""

import os

os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")

import numpy
import pyarrow
import pyspark.sql.pandas.serializers
import pyspark.worker
from pyspark import daemon

from pozytywka_spark import schemas

LOADED = (numpy, pyarrow, pyspark.sql.pandas.serializers, pyspark.worker, schemas)

if __name__ == "__main__":
    daemon.manager()

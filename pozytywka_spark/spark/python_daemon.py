"""Spark's Python worker daemon with the libraries of our tasks already loaded.

Spark forks a worker from this process for each task slot. Loaded here once, the libraries are there in
every worker at once; otherwise each worker imports them again, which takes longer than most of its tasks.
Spark's own daemon loads nothing because a fork must not meet threads: the two kinds that these imports
would start are switched off first.
"""

import os

from pozytywka_spark.spark.unzipped import prefer_files
from pozytywka_spark.spark.worker_libraries import load, serve

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads of XGBoost that wait leave cores to others,
os.environ.setdefault("GOMP_SPINCOUNT", "20000")  # but for the shortest of waits
os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
prefer_files()

load(
    "numpy",
    "pandas",
    "pyarrow",
    "pyspark.sql.pandas.serializers",
    "pyspark.worker",
    "xgboost.spark.core",
)

if __name__ == "__main__":
    serve()

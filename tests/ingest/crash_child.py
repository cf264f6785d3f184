"""An ingest in a process of its own, to be killed: says READY before it begins and DONE after it ended."""

import sys

from pozytywka_spark.config import load_settings
from pozytywka_spark.ingest import stage
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark.session import build_session


def main() -> None:
    settings = load_settings("local", sys.argv[1:])
    stage.report_on = lambda *_: ((), None)
    spark = build_session(settings, "ingest")  # its workers load what the job's do
    lake = open_lake(settings, spark)
    print("READY", flush=True)
    stage.ingest(spark, settings, lake)
    print("DONE", flush=True)


if __name__ == "__main__":
    main()

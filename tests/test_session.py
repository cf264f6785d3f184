from contextlib import suppress

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.spark.session import build_session, for_throughput, local_cores
from pozytywka_spark.spark.temporary_conf import without_codegen


def test_the_session_counts_time_in_utc_and_writes_timestamps_with_statistics(spark: SparkSession) -> None:
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.sql.parquet.outputTimestampType") == "TIMESTAMP_MICROS"


def test_the_same_settings_give_the_same_session(spark: SparkSession, settings: Settings) -> None:
    assert build_session(settings, "again") is spark


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("spark.driver_memory=9g", "spark.driver.memory"),
        ("spark.master=local[1]", "spark.master"),
        ("spark.conf.spark.task.cpus=2", "spark.task.cpus"),
        ("spark.ui=true", "spark.ui.enabled"),
    ],
)
def test_what_a_running_session_cannot_take_is_refused_by_name(
    spark: SparkSession, override: str, key: str
) -> None:
    with pytest.raises(UsageError, match=rf"{key}=.* can't be given to the running Spark session"):
        build_session(load_settings("local", [override]), "other")


def test_what_a_running_session_can_take_is_given_to_it(spark: SparkSession) -> None:
    before = spark.conf.get("spark.sql.shuffle.partitions")
    try:
        build_session(load_settings("local", ["spark.shuffle_partitions=3"]), "other")
        assert spark.conf.get("spark.sql.shuffle.partitions") == "3"
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", str(before))


@pytest.mark.parametrize(
    ("master", "cores"), [("local", 1), ("local[3]", 3), ("local[2,4]", 2), ("spark://h:7077", 0)]
)
def test_slots_are_read_off_the_master(master: str, cores: int) -> None:
    assert local_cores(master) == cores


@pytest.mark.parametrize("given", ["", "-Dkey=value"])
def test_java_runs_for_throughput(given: str) -> None:
    options = for_throughput(given).split()
    assert "-XX:+UseParallelGC" in options
    assert "-XX:Tier4InvocationThreshold=50000" in options
    assert options[-1:] == given.split() or not given


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("-XX:+UseSerialGC", "ParallelGC"),  # two collectors would keep Java from starting
        ("-Dkey=value -XX:+UseZGC", "ParallelGC"),
        ("-XX:TieredStopAtLevel=1", "Tier4"),
        ("-XX:-TieredCompilation", "Tier4"),
        ("-XX:CompileThresholdScaling=2", "Tier4"),
    ],
)
def test_java_options_that_were_given_stand(given: str, missing: str) -> None:
    assert given in for_throughput(given)
    assert missing not in for_throughput(given)


def test_plans_are_interpreted_inside_only(spark: SparkSession) -> None:
    key = "spark.sql.codegen.wholeStage"
    before = str(spark.conf.get(key))
    spark.conf.set(key, "true")
    with without_codegen(spark):
        assert spark.conf.get(key) == "false"
    assert spark.conf.get(key) == "true"
    with suppress(ZeroDivisionError), without_codegen(spark):
        raise ZeroDivisionError
    assert spark.conf.get(key) == "true"
    spark.conf.set(key, before)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.executorEnv.POLARS_MAX_THREADS", 2),
        ("spark.executorEnv.MALLOC_TRIM_THRESHOLD_", 128 << 10),
        ("spark.python.daemon.module", "pyspark.daemon"),
    ],
)
def test_a_running_session_may_be_slower(
    spark: SparkSession, settings: Settings, key: str, value: object
) -> None:
    """A platform's own session, which was there before us, isn't refused for its speed."""
    slower = settings.spark.model_copy(update={"conf": {**settings.spark.conf, key: value}})
    asked = settings.model_copy(update={"spark": slower})
    assert build_session(asked, "again").sparkContext is spark.sparkContext

from contextlib import suppress

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.spark.session import asked_of_spark, build_session, for_throughput, local_cores
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
@pytest.mark.parametrize(
    ("computes", "compiler"),
    [(True, "-XX:Tier4InvocationThreshold=50000"), (False, "-XX:TieredStopAtLevel=1")],
)
def test_java_runs_for_throughput(given: str, computes: bool, compiler: str) -> None:
    options = for_throughput(given, computes=computes).split()
    assert "-XX:+UseParallelGC" in options
    assert compiler in options
    assert options[-1:] == given.split() or not given


@pytest.mark.parametrize(
    ("engine", "app", "first_only"),
    [("delta-rs", "ingest", True), ("delta-rs", "library", False), ("delta-spark", "ingest", False)],
)
def test_java_compiles_once_where_it_moves_no_rows(engine: str, app: str, first_only: bool) -> None:
    asked = asked_of_spark(load_settings("local", [f"lake.engine={engine}"]), app)
    assert ("-XX:TieredStopAtLevel=1" in asked["spark.driver.extraJavaOptions"]) is first_only


def test_a_running_session_may_have_been_started_with_another_compiler(spark: SparkSession) -> None:
    """A notebook's job, say, in the notebook's session."""
    assert build_session(load_settings("local", []), "library").sparkContext is spark.sparkContext


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ("-XX:+UseSerialGC", "GC"),  # two collectors would keep Java from starting
        ("-Dkey=value -XX:+UseZGC", "GC"),
        ("-XX:TieredStopAtLevel=2", "Tier"),
        ("-XX:-TieredCompilation", "Tier"),
        ("-XX:CompileThresholdScaling=2", "Tier"),
    ],
)
@pytest.mark.parametrize("computes", [True, False])
def test_java_options_that_were_given_stand_alone(given: str, ours: str, computes: bool) -> None:
    options = for_throughput(given, computes=computes)
    assert given in options
    assert options.count(ours) == given.count(ours)


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
        ("spark.executorEnv.SPARK_SIMPLIFIED_TRACEBACK", 0),
    ],
)
def test_a_running_session_may_be_slower(
    spark: SparkSession, settings: Settings, key: str, value: object
) -> None:
    """A platform's own session, which was there before us, isn't refused for its speed."""
    slower = settings.spark.model_copy(update={"conf": {**settings.spark.conf, key: value}})
    asked = settings.model_copy(update={"spark": slower})
    assert build_session(asked, "again").sparkContext is spark.sparkContext

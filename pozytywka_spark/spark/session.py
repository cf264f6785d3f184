"""The only place that builds a SparkSession."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings, conf_folder
from pozytywka_spark.errors import PozytywkaError, UsageError
from pozytywka_spark.names import NOTEBOOKS
from pozytywka_spark.spark.delta_jars import DELTA, DELTA_ON_ONE_MACHINE, not_fetched, with_delta_jars
from pozytywka_spark.spark.foreign import OUR_NAMES, as_spark_spells, is_foreign, use_session
from pozytywka_spark.spark.jvm_archive import with_archive, without_archive
from pozytywka_spark.spark.process_user import downloads_folder, named_home
from pozytywka_spark.spark.s3a import s3a_conf

# Fixed at the start of the JVM or of the session: a running one can't change them.
_STATIC_PREFIXES = (
    "spark.master",
    "spark.driver.",
    "spark.executor.",
    "spark.jars",
    "spark.sql.extensions",
    "spark.sql.catalog.",
    "spark.task.",
    "spark.ui.",
)

# Without a UI nobody looks at what is over, yet Spark keeps a thousand plans of it: those of our features
# fill a small heap in a long session, which then does little but collect garbage.
_UI_RETAINS_LITTLE: Mapping[str, object] = {
    "spark.ui.retainedJobs": 20,
    "spark.ui.retainedStages": 20,
    "spark.ui.retainedTasks": 1000,
    "spark.sql.ui.retainedExecutions": 5,
}

# Jobs whose tasks neither train nor score. A pipeline's do so for large tables only: these workers load the
# libraries then, while all others would wait for them at the start.
_JOBS_OF_KERNELS = ("ingest", "maintain", "synthesize", "features", "pipeline")

_JAVA = "spark.driver.extraJavaOptions"
# For delta-rs, Java moves no rows, it places tasks: its optimizing compiler would take up to a third of its
# CPU, and hasn't paid that back by the end of 10 million events.
_FIRST_COMPILER_ONLY = "-XX:TieredStopAtLevel=1"
_JIT_THRESHOLDS = (
    "-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 "
    "-XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
)
# of the small Java that works out the command of the large one, and lives for a fifth of a second
_LAUNCHER = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_POLARS = "spark.executorEnv.POLARS_MAX_THREADS"
# Kernels free columns of some megabytes, and take as many again at once. Without these limits a worker gives
# the memory back meanwhile (C's allocator above 128 KB, that of Polars after half a second), and the system
# fills it with zeros for it anew: a tenth of a kernel's time. What is free now is given back later.
_KEEP_MEMORY: Mapping[str, object] = {
    "spark.executorEnv.MALLOC_MMAP_THRESHOLD_": 32 << 20,
    "spark.executorEnv.MALLOC_TRIM_THRESHOLD_": 256 << 20,
    "spark.executorEnv._RJEM_MALLOC_CONF": "dirty_decay_ms:10000,muzzy_decay_ms:-1",
}
_DAEMON = "spark.python.daemon.module"
# Workers with other variables come from a daemon of their own, which loads its libraries anew. Spark sets
# this one for frames and not for RDDs, and XGBoost across workers needs both. Only where the daemon has
# XGBoost: elsewhere the frame's worker would be taken for the RDD, and another one load it.
_ONE_DAEMON: Mapping[str, object] = {"spark.executorEnv.SPARK_SIMPLIFIED_TRACEBACK": 1}
_TUNING_KEYS = (_POLARS, _DAEMON, *_KEEP_MEMORY, *_ONE_DAEMON)  # a running session does without


def build_session(settings: Settings, app_name: str, *, verbose: bool = False) -> SparkSession:
    """The session of a job: UTC, Arrow, adaptive execution, quiet.

    One of ours that runs already is used if it has what is asked, and refused if it would need a restart to
    have it: settings that silently don't apply are worse than an error. Somebody else's is used as it is,
    and refused only if results would be wrong in it.
    Raises `UsageError` naming the key, `PozytywkaError` if Java or the master can't be reached.
    """
    conf = _conf(settings, app_name)
    running = running_session()
    if running is not None:
        return use_session(running, settings) if is_foreign(running) else _reuse(running, conf)
    if settings.env == "local":
        # Python workers are started as plain `python3` unless told: another Python, without our packages
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("SPARK_LAUNCHER_OPTS", _LAUNCHER)
        _show_workers_the_package()
        conf |= {_JAVA: with_archive(conf[_JAVA])}
        downloads = downloads_folder(named_home(), Path(settings.home).absolute())
        if downloads is not None:
            conf = {"spark.jars.ivy": str(downloads)} | conf
    builder = with_delta_jars(SparkSession.Builder().config(map=dict(conf)), settings)
    try:
        submitted = "PYSPARK_GATEWAY_PORT" in os.environ  # spark-submit has started the JVM already
        log = Path(settings.home) / "logs" / f"{app_name}.log"
        output = None if verbose or submitted else log
        with _jvm_output(output):
            session = builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        missing = not_fetched(settings, output)
        if missing is not None:
            raise PozytywkaError(missing) from error
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise PozytywkaError(
            f"Spark did not start: {first}; is Java 17 or newer there (java -version), "
            "and is spark.master right?"
        ) from error
    if not verbose:
        session.sparkContext.setLogLevel("ERROR")
        logging.getLogger("py4j").setLevel(logging.ERROR)
    return session


def running_session() -> SparkSession | None:
    """The session that this process has already, if any."""
    return SparkSession.getActiveSession()


def asked_of_spark(settings: Settings, app_name: str) -> Mapping[str, str]:
    """Every Spark key that a session of these settings is started with."""
    return _conf(settings, app_name)


def _show_workers_the_package() -> None:
    """Python workers inherit PYTHONPATH through the JVM; one not installed is found only there."""
    here = str(Path(__file__).resolve().parents[2])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if here not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([here, *filter(None, paths)])


def for_throughput(java_options: str, *, computes: bool) -> str:
    """The options with a garbage collector and a compiler for jobs, unless they say otherwise.

    Nobody waits for a job's pauses: aggregations take a quarter less time than under Java's default
    collector. Where Java `computes` (rows go through its operators), it has both its compilers, the
    optimizing one later than by default: a session's start and first job take 6.5 s of CPU, by default 8.6
    to 9.6. Elsewhere it has the quick one alone: a small pipeline takes 21 s of CPU, with both 26.
    """
    collector = "" if re.search(r"-XX:\+Use\w+GC\b", java_options) else "-XX:+UseParallelGC"
    given = re.search(r"-XX:\W?(Tier|CompileThreshold)", java_options)
    compiler = "" if given else _JIT_THRESHOLDS if computes else _FIRST_COMPILER_ONLY
    return " ".join(filter(None, (collector, compiler, java_options)))


def _without_compiler(java_options: str) -> str:
    """What sessions of ours must agree on: one may be slower for what another was started for."""
    return " ".join(java_options.replace(_JIT_THRESHOLDS, "").replace(_FIRST_COMPILER_ONLY, "").split())


def local_cores(master: str) -> int:
    """Slots of a `local[...]` master on this machine; 0 for any other master."""
    if not master.startswith("local"):
        return 0
    inside = master.partition("[")[2].rstrip("]").split(",")[0]
    return (os.cpu_count() or 1) if inside == "*" else int(inside or 1)


def _conf(settings: Settings, app_name: str) -> dict[str, str]:
    """Every Spark key that the settings ask for, as Spark spells values."""
    spark = settings.spark
    conf: dict[str, object] = {
        "spark.app.name": f"{OUR_NAMES}{app_name}",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.adaptive.enabled": True,
        # rows that lie by user can be joined by user and track where they are; Spark would move them again
        "spark.sql.requireAllClusterKeysForCoPartition": False,
        "spark.sql.execution.arrow.pyspark.enabled": True,
        # Spark's default INT96 timestamps carry no statistics, so readers could skip no file
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.shuffle.partitions": spark.shuffle_partitions or 200,
    }
    if settings.env == "local":
        master = spark.master or "local[*]"
        partitions = spark.shuffle_partitions or max(8, 4 * local_cores(master))
        conf |= {
            "spark.master": master,
            "spark.driver.memory": spark.driver_memory,
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": partitions,
            "spark.ui.enabled": spark.ui,
            "spark.ui.showConsoleProgress": False,
            "spark.sql.sources.parallelPartitionDiscovery.threshold": 100_000,
        }
        conf |= {} if spark.ui else _UI_RETAINS_LITTLE
        if "PYSPARK_GATEWAY_PORT" not in os.environ:
            # workers that have their libraries from the start: 0.6 s instead of 11 s before the first fit
            kernels = app_name in _JOBS_OF_KERNELS
            conf[_DAEMON] = f"pozytywka_spark.spark.{'kernel_daemon' if kernels else 'python_daemon'}"
            conf |= {} if kernels else _ONE_DAEMON
    elif spark.master:
        conf["spark.master"] = spark.master
    if settings.lake.engine == "delta-spark":
        conf |= {**DELTA, **(DELTA_ON_ONE_MACHINE if settings.env == "local" else {})}
    conf |= dict(s3a_conf(settings))
    # tasks side by side share the cores: Polars reads this once, as it is imported, and would take them all
    conf |= {_POLARS: spark.conf.get("spark.task.cpus", 1), **_KEEP_MEMORY}
    conf |= spark.conf
    if settings.env == "local":
        # in a notebook people ask for whatever they like
        computes = settings.lake.engine == "delta-spark" or app_name == NOTEBOOKS
        given = for_throughput(str(conf.get(_JAVA, "")), computes=computes)
        conf[_JAVA] = f"-Dlog4j2.configurationFile={_log4j()} {given}"
    return {key: as_spark_spells(value) for key, value in conf.items()}


def _log4j() -> str:
    return (conf_folder() / "log4j2.properties").resolve().as_uri()


def _reuse(running: SparkSession, conf: Mapping[str, str]) -> SparkSession:
    for key, text in conf.items():
        current = running.conf.get(key, None)
        if key == _JAVA and current is not None:
            current, text = _without_compiler(without_archive(current)), _without_compiler(text)
        if current == text or key in ("spark.app.name", *_TUNING_KEYS):
            continue
        if key.startswith(_STATIC_PREFIXES) or not running.conf.isModifiable(key):
            raise UsageError(
                f"{key}={text} can't be given to the running Spark session, which has {current}: "
                "stop it first, or pass the same value"
            )
        running.conf.set(key, text)
    return running


@contextmanager
def _jvm_output(log: Path | None) -> Iterator[None]:
    """Send what the JVM prints to `log`: the gateway process inherits standard error as it starts."""
    if log is None:
        yield
        return
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        target = log.open("ab")
    except OSError as error:
        raise PozytywkaError(
            f"home: logs can't be written to {log.parent} ({error.strerror}); name a folder of yours"
        ) from error
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with target:
            os.dup2(target.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)

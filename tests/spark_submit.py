"""spark-submit's own parser: asked what it understands, it does no work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pyspark

from pozytywka_spark.spark.jvm_archive import with_archive

SPARK = Path(pyspark.__file__).parent
# of a Java that lives for a second: Spark's classes as they are kept, and no optimizing compiler
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def ask(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """What it says of a command."""
    java = {"SPARK_SUBMIT_OPTS": with_archive(_SHORT_LIVED), "SPARK_LAUNCHER_OPTS": _SHORT_LIVED}
    environment = os.environ | {"SPARK_HOME": str(SPARK), **java}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)

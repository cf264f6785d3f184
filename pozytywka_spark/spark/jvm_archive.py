"""Spark's Java classes, kept as Java lays them out in memory: sessions on this machine start sooner.

Java otherwise reads, checks and lays out some 15,000 classes for every session. `python -m
pozytywka_spark.spark.jvm_archive` (scripts/setup.sh, once) has it write them to an archive, which
`build_session` gives to the driver of local mode. Java checks that an archive belongs to it and to its
jars, and does without one that doesn't.
https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html#application-class-data-sharing
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyspark

_WARM_UP = Path(__file__).with_name("jvm_archive_workload.py")
_FOLDER = "java-classes"
# Java says on standard output, which is the jobs', that it does without an archive
_QUIET = "-Xlog:cds*=off"
_OF_AN_ARCHIVE = re.compile(r"-XX:(SharedArchiveFile|ArchiveClassesAtExit|.AutoCreateSharedArchive)|-Xshare")
_USE = re.compile(rf'"-XX:SharedArchiveFile=[^"]*" {re.escape(_QUIET)} ?')
# what makes it lives for seconds; the archive serves any compiler and collector
_SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_SECONDS = 900  # about a minute on an idle machine


def archive_path() -> Path | None:
    """Where this environment's archive for this Java and these jars belongs; None without a Java."""
    java = _java()
    jars = _spark_home() / "jars"
    if java is None or not jars.is_dir():
        return None
    belongs = f"{java} {java.stat().st_mtime_ns} {jars} {jars.stat().st_mtime_ns}"
    return Path(sys.prefix) / _FOLDER / f"{hashlib.sha256(belongs.encode()).hexdigest()[:16]}.jsa"


def with_archive(java_options: str) -> str:
    """The options with the archive, if it has been made and they don't name one themselves."""
    path = archive_path()
    if path is None or not path.is_file() or _OF_AN_ARCHIVE.search(java_options):
        return java_options
    return f'"-XX:SharedArchiveFile={path}" {_QUIET} {java_options}'


def without_archive(java_options: str) -> str:
    """The options that `with_archive` was given."""
    return _USE.sub("", java_options, count=1)


def make_archive(log: Path) -> Path | None:
    """Make the archive unless it is there; None if this Java makes none, `log` then says why.

    It gets its name only once Java has read it through: Java breaks off at one that was cut short.
    Archives of other Javas and other jars are removed, as are those that a killed set-up left half made.
    """
    path = archive_path()
    if path is None or path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    for given_up in path.parent.glob("*.new"):
        given_up.unlink(missing_ok=True)
    unproven = path.with_suffix(f".{os.getpid()}.new")
    try:
        made = _submitted(
            f'{_SHORT_LIVED} "-XX:ArchiveClassesAtExit={unproven}" {_QUIET}', log, str(_WARM_UP)
        )
        if not made or not unproven.is_file():
            return None
        if not _submitted(
            f'-Xshare:on -XX:+VerifySharedSpaces "-XX:SharedArchiveFile={unproven}"', log, "--version"
        ):
            return None
        for other in path.parent.glob("*.jsa"):
            other.unlink(missing_ok=True)
        unproven.replace(path)
    finally:
        unproven.unlink(missing_ok=True)
    return path


def _submitted(java_options: str, log: Path, what: str) -> bool:
    """Whether a JVM with exactly the class path of our sessions did it, to its end."""
    submit = _spark_home() / "bin" / "spark-submit"
    command = [str(submit), "--master", "local[2]", "--driver-java-options", java_options, what]
    environment = os.environ | {"SPARK_HOME": str(_spark_home()), "PYSPARK_PYTHON": sys.executable}
    environment.pop("POZYTYWKA_CONF", None)  # classes are the same whatever the settings
    with log.open("ab") as output:
        try:
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                timeout=_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def _java() -> Path | None:
    home = os.environ.get("JAVA_HOME")
    java = Path(home) / "bin" / "java" if home else shutil.which("java")
    return Path(java).resolve() if java and Path(java).is_file() else None


def _spark_home() -> Path:
    """As pyspark finds it."""
    return Path(os.environ.get("SPARK_HOME") or Path(pyspark.__file__).parent).resolve()


if __name__ == "__main__":
    sys.exit(0 if make_archive(Path(sys.argv[1])) else 1)

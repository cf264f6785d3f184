"""A Spark standalone cluster on loopback, from the pip package: a master and two workers, for a block.

By hand, from the project: `.venv/bin/python tests/cluster/standalone.py COMMAND …` runs the command with
`$MASTER_URL` set, and exits with its code; whatever becomes of it, the cluster is stopped.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

from pozytywka_spark.spark.jvm_archive import with_archive

LOOPBACK = "127.0.0.1"
# The daemons only pass messages: they need little memory and no compiler.
_QUICK_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
_DAEMON = {
    "SPARK_DAEMON_MEMORY": "256m",
    "SPARK_DAEMON_JAVA_OPTS": with_archive(_QUICK_JAVA),
    "SPARK_LAUNCHER_OPTS": _QUICK_JAVA,  # of what works out their commands
}
_START_SECONDS = 60.0


@contextmanager
def standalone(folder: Path, workers: int = 2, memory: str = "1g") -> Iterator[str]:
    """The URL of a master with `workers` of one core each; logs and scratch go below `folder`.

    Raises `RuntimeError` with the end of a log if they don't find each other within a minute.
    """
    home = _home(folder / "spark")
    environment = os.environ | _DAEMON | {
        "SPARK_HOME": str(home), "SPARK_LOCAL_IP": LOOPBACK, "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        "SPARK_CONF_DIR": str(folder / "no-conf"),
    }  # fmt: skip
    url = f"spark://{LOOPBACK}:{_free_port()}"
    with ExitStack() as running:
        master_log = folder / "master.log"
        started = [running.enter_context(_daemon(_master(home, url), environment, master_log))]
        _wait_for(master_log, r"New state: ALIVE", 1, started)
        for number in range(workers):
            log = folder / f"worker-{number}.log"
            command = _worker(home, url, memory, folder / "work")
            started.append(running.enter_context(_daemon(command, environment, log)))
        _wait_for(master_log, r"Registering worker ", workers, started)
        yield url


def _home(folder: Path) -> Path:
    """Spark without PySpark's archive: executors' Pythons import the package, as they have it compiled."""
    folder.mkdir(parents=True)
    for part in ("bin", "jars"):
        (folder / part).symlink_to(Path(pyspark.__file__).parent / part)
    return folder


def _master(home: Path, url: str) -> list[str]:
    port = url.rpartition(":")[2]
    return [*_class(home, "master.Master"), "--host", LOOPBACK, "--port", port, "--webui-port", "0"]


def _worker(home: Path, url: str, memory: str, work: Path) -> list[str]:
    return [
        *_class(home, "worker.Worker"), "--host", LOOPBACK, "--port", "0", "--webui-port", "0",
        "--cores", "1", "--memory", memory, "--work-dir", str(work), url,
    ]  # fmt: skip


def _class(home: Path, name: str) -> list[str]:
    return ["bash", str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"]


@contextmanager
def _daemon(
    command: Sequence[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, which is stopped with all it started (a worker starts executors)."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        while _signal_group(process.pid, sign) and time.monotonic() < deadline:
            process.poll()  # a process that nobody waited for still counts as one of its group
            time.sleep(0.1)
    process.wait(timeout=5)


def _signal_group(group: int, sign: signal.Signals) -> bool:
    """Whether the group still had anyone to signal."""
    try:
        os.killpg(group, sign)
    except ProcessLookupError:
        return False
    return True


def _wait_for(log: Path, line: str, times: int, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while len(re.findall(line, text := log.read_text(errors="replace"))) < times:
        if time.monotonic() > deadline or any(process.poll() is not None for process in processes):
            raise RuntimeError(f"the cluster did not start; {log.name} ends: {text[-500:]}")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def main(command: Sequence[str]) -> int:
    """Run the command beside a cluster; its exit code."""
    with tempfile.TemporaryDirectory(prefix="standalone-") as folder, standalone(Path(folder)) as url:
        return subprocess.run(command, env=os.environ | {"MASTER_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""YARN and HDFS on loopback, all daemons in one JVM: a resource manager, two node managers, a name node.

By hand, from the project: `.venv/bin/python tests/cluster/yarn.py COMMAND …` runs the command with
`$HADOOP_CONF_DIR` set, and exits with its code; whatever becomes of it, the cluster is stopped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyspark
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JJavaError

from pozytywka_spark.spark.delta_jars import jars_folder

NODES = 2
NODE_MEMORY_MB = 4096  # what a node manager gives away; nothing is set aside for it

_OF_SPARK = (
    "hadoop-client-api-",
    "hadoop-client-runtime-",
    "slf4j-api-",
    "log4j-",
    "snappy-java-",
    "jcl-over-slf4j-",
)
_MINICLUSTER = "hadoop-client-minicluster-"
_TO_CLIENTS = (
    "yarn.resourcemanager.address",
    "yarn.resourcemanager.scheduler.address",
    "yarn.resourcemanager.webapp.address",
)
_YARN = {
    "yarn.scheduler.capacity.root.queues": "default",
    "yarn.scheduler.capacity.root.default.capacity": "100",
    "yarn.scheduler.capacity.maximum-am-resource-percent": "1",
    "yarn.scheduler.minimum-allocation-mb": "128",
    "yarn.minicluster.yarn.nodemanager.resource.memory-mb": str(NODE_MEMORY_MB),
    # a container over its memory is killed, as on real clusters
    "yarn.nodemanager.pmem-check-enabled": "true",
    "yarn.nodemanager.vmem-check-enabled": "false",
    "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "99.5",
    "yarn.nodemanager.delete.debug-delay-sec": "3600",  # containers' folders stay to be looked at
}
_LOGGING = """\
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
appender.out.type = File
appender.out.name = out
appender.out.fileName = ${sys:hadoop.log.dir}/daemons.log
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1}: %m%n
"""


@dataclass(frozen=True)
class Yarn:
    """A running cluster: the folder for `HADOOP_CONF_DIR`, its HDFS, and the node managers' own folders."""

    conf: Path
    hdfs: str
    nodes: Path
    jvm: Any
    file_system: Any

    def put(self, local: Path, remote: str) -> None:
        """Copy a local file or folder into HDFS."""
        path = self.jvm.org.apache.hadoop.fs.Path
        self.file_system.copyFromLocalFile(path(str(local)), path(remote))

    def get(self, remote: str, local: Path) -> None:
        """Copy a file or folder of HDFS here."""
        path = self.jvm.org.apache.hadoop.fs.Path
        self.file_system.copyToLocalFile(False, path(remote), path(str(local)), True)


@contextmanager
def yarn_cluster(folder: Path, jars: Path) -> Iterator[Yarn]:
    """A cluster for a block; `jars` has the mini cluster's. All it writes goes below `folder`.

    Raises `RuntimeError` with the end of the log if the node managers aren't there within a minute.
    """
    for name in ("conf", "tmp", "logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with _gateway(folder, jars) as jvm:
        file_systems = _file_system(jvm, folder)
        yarn = jvm.org.apache.hadoop.yarn.server.MiniYARNCluster("yarn", 1, NODES, 1, 1)
        try:
            conf = jvm.org.apache.hadoop.yarn.conf.YarnConfiguration(file_systems.getConfiguration(0))
            for key, value in _YARN.items():
                conf.set(key, value)
            yarn.init(conf)
            yarn.start()
            if not yarn.waitForNodeManagersToConnect(60_000):
                raise RuntimeError(f"the node managers did not start; see {folder / 'logs'}")
            hdfs = file_systems.getFileSystem()
            address = hdfs.getUri().toString()
            told = {key: yarn.getConfig().get(key) for key in _TO_CLIENTS}
            _write_conf(folder / "conf" / "yarn-site.xml", told)
            _write_conf(folder / "conf" / "core-site.xml", {"fs.defaultFS": address})
            _write_conf(folder / "conf" / "hdfs-site.xml", {"dfs.replication": "1"})
            yield Yarn(folder / "conf", address, Path(yarn.getTestWorkDir().getPath()), jvm, hdfs)
        finally:
            yarn.stop()  # and with the node managers, their containers
            file_systems.shutdown()


def _file_system(jvm: Any, folder: Path) -> Any:
    """A name node and one data node."""
    conf = jvm.org.apache.hadoop.conf.Configuration()
    conf.set("hdfs.minidfs.basedir", str(folder / "hdfs"))
    conf.set("dfs.replication", "1")
    return jvm.org.apache.hadoop.hdfs.MiniDFSCluster.Builder(conf).numDataNodes(1).build()


@contextmanager
def _gateway(folder: Path, jars: Path) -> Iterator[Any]:
    """A JVM that Python speaks to, which ends with this process at the latest."""
    logging = folder / "log4j2.properties"
    logging.write_text(_LOGGING)
    port, token, process = launch_gateway(
        classpath=":".join(map(str, _classpath(folder, jars))),
        jarpath=str(next((Path(pyspark.__file__).parent / "jars").glob("py4j*.jar"))),
        javaopts=[
            "-Xmx640m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={logging}", f"-Djava.io.tmpdir={folder}/tmp",
            f"-Dhadoop.log.dir={folder}/logs", f"-Dhadoop.home.dir={folder}",
            f"-Dtest.build.data={folder}/nodes", "--add-opens=java.base/java.lang=ALL-UNNAMED",
        ],
        die_on_exit=True, enable_auth=True, return_proc=True,
    )  # fmt: skip
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token))
    try:
        yield gateway.jvm
    except Py4JJavaError as error:  # its text can't be had any more once the JVM has gone
        raise RuntimeError(f"the cluster did not start: {str(error)[:500]}; see {folder / 'logs'}") from None
    finally:
        gateway.shutdown()
        process.stdin.close()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=5)


def _classpath(folder: Path, jars: Path) -> list[Path]:
    """Few jars, for the daemons' web servers search each; their pages lie unpacked for the same reason."""
    with zipfile.ZipFile(next(jars.glob(f"{_MINICLUSTER}*.jar"))) as packed:
        packed.extractall(folder / "pages", [n for n in packed.namelist() if n.startswith("webapps/")])
    of_spark = (Path(pyspark.__file__).parent / "jars").glob("*.jar")
    return [
        folder / "pages",
        jars / "*",
        *sorted(jar for jar in of_spark if jar.name.startswith(_OF_SPARK)),
    ]


def _write_conf(path: Path, values: Mapping[str, str]) -> None:
    properties = "".join(
        f"<property><name>{escape(key)}</name><value>{escape(value)}</value></property>\n"
        for key, value in values.items()
    )
    path.write_text(f"<configuration>\n{properties}</configuration>\n")


def main(command: Sequence[str]) -> int:
    """Run the command beside a cluster; its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # else containers would outlive it
    with (
        tempfile.TemporaryDirectory(prefix="yarn-") as folder,
        yarn_cluster(Path(folder), jars_folder() / "yarn") as yarn,
    ):
        environment = os.environ | {"HADOOP_CONF_DIR": str(yarn.conf), "HDFS": yarn.hdfs}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

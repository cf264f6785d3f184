"""Judge a delivery as `ingest` would, on a copy of the lake that is thrown away; the lake is only read.

The copy has the lake's data files by links and its logs in full. Delta never changes a data file, so whatever
an ingest does to such tables stays in the copy; and it does exactly what it would do to the lake.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import LakeError, UsageError
from pozytywka_spark.ingest.intake import lock
from pozytywka_spark.ingest.masking.salt import salt_path
from pozytywka_spark.ingest.stage import IngestReport, ingest
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.storage import local_files

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PLANS = "_checkpoints"  # of batches that were cut short: the next ingest finishes them first


def check_delivery(spark: SparkSession, settings: Settings) -> IngestReport:
    """What `ingest` would report of the delivery, without a page; nothing of lake and home is written.

    Raises what `ingest` would, and `UsageError` if the lake isn't on a disk, where there are links.
    """
    with _copied(settings) as copy:
        return replace(ingest(spark, copy, open_lake(copy, spark)), page=None)


@contextmanager
def _copied(settings: Settings) -> Iterator[Settings]:
    """The settings of a copy of the lake, which is gone after the block."""
    root = settings.lake.root
    if "://" in root and not root.startswith("file:"):
        raise UsageError(
            f"ingest --check: lake.root={root} is on no disk that could be linked to; to judge the delivery "
            "by itself, name an empty folder: --set lake.root=/tmp/empty"
        )
    real = Path(local_files.local_root(root))
    with _folder(settings, real) as folder:
        with _between_ingests(real, settings):
            _link(real, folder / "lake")
        lake = settings.lake.model_copy(update={"root": str(folder / "lake"), "staging": None})
        raw = settings.raw.model_copy(update={"path": settings.raw_path})
        update = {"home": str(folder / "home"), "lake": lake, "raw": raw}
        salt = salt_path(settings)
        if salt.exists():  # one that isn't there yet is made below the copy's home
            update["feedback"] = settings.feedback.model_copy(update={"salt_file": str(salt)})
        yield settings.model_copy(update=update)


@contextmanager
def _folder(settings: Settings, real: Path) -> Iterator[Path]:
    """A folder that all who do the work reach: of this machine, or beside a lake that a cluster shares."""
    place = None if settings.env == "local" else real.parent
    try:
        folder = Path(tempfile.mkdtemp(prefix="pozytywka-check-", dir=place))
    except OSError as error:
        raise LakeError(
            f"ingest --check: {place or tempfile.gettempdir()} can't be written: {error.strerror}"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # links go, what they lead to stays


@contextmanager
def _between_ingests(real: Path, settings: Settings) -> Iterator[None]:
    """No ingest is at work on the lake meanwhile; where none ever was, there is no lock to hold."""
    before = (real / lock.NAME).exists()
    with lock.only_ingest(str(real), settings.ingest) if before else nullcontext():
        yield


def _link(real: Path, copy: Path) -> None:
    """The copy of a lake; of one that isn't there yet, nothing."""
    copy.mkdir()
    for log in sorted(real.glob("*/_delta_log")):
        shutil.copytree(log, copy / log.relative_to(real))
        for folder, folders, names in os.walk(log.parent):
            folders[:] = [name for name in folders if not name.startswith("_")]  # no part of the data
            place = copy / Path(folder).relative_to(real)
            place.mkdir(exist_ok=True)
            for name in names:
                (place / name).symlink_to(Path(folder, name))
    if (real / _PLANS).is_dir():
        shutil.copytree(real / _PLANS, copy / _PLANS)

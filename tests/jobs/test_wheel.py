"""The wheel in an environment without the project: the quickstart in an empty folder, far from here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from pozytywka_spark.spark.jvm_archive import archive_path
from tests.worlds.made_delivery import FEW_MONTHS

ROOT = Path(__file__).resolve().parents[2]
TINY = [
    *FEW_MONTHS, "synthetic.users=150", "synthetic.months=6", "synthetic.tracks=400",
    "synthetic.played_tracks=200", "synthetic.artists=60", "synthetic.truth_paths=0",
    "spark.master=local[2]", "spark.shuffle_partitions=2", "spark.driver_memory=1g",
    "spark.conf.spark.sql.adaptive.enabled=false", "spark.conf.spark.sql.codegen.wholeStage=false",
    "spark.conf.spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
]  # fmt: skip
# What README tells people to type. The command's own file runs in the notebook's process, for MLflow and
# XGBoost are seconds to import.
TYPED = """
import runpy, sys

sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as ended:
    assert not ended.code

import pozytywka_spark as pz

p = pz.open("var/embedded")
frame = p.features(months="2022-03..2022-05").to_polars()
predicted = p.model().predict(frame)["probability"]
assert len(frame) and frame["month"].n_unique() == 3 and predicted.is_between(0, 1).all()
assert p.table("predictions", columns=["user_id", "probability"]).to_pandas().shape[1] == 2
again = p.train()
assert again.reused and "<table>" in again._repr_html_()
print("from", pz.__file__, again.page, sep="|")
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel, and packages from here: named in a `.pth`, so without this project."""
    folder = tmp_path_factory.mktemp("wheel")
    compiled = shutil.ignore_patterns("__pycache__")  # links are followed
    shutil.copytree(ROOT / "pozytywka_spark", folder / "source" / "pozytywka_spark", ignore=compiled)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    # the backend as pip calls it, without the two processes that pip has around it
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(folder)!r})"
    run([sys.executable, "-c", build], folder / "source")
    venv.create(folder / "venv", symlinks=True)
    packages = next((folder / "venv" / "lib").glob("python*/site-packages"))
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    # Java is the machine's as packages are: it needn't lay out Spark's classes anew
    classes = archive_path()
    if classes is not None:
        (folder / "venv" / classes.parent.name).symlink_to(classes.parent)
    found = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", found]
    # only what is imported is compiled
    run([*pip, "install", "--no-deps", "--no-index", "--no-compile", next(folder.glob("*.whl"))], folder)
    return found


def run(command: list[object], folder: Path) -> str:
    """What a command in `folder` printed; nothing of this checkout is in its environment."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("POZYTYWKA", "PYTHON", "PYSPARK", "SPARK_HOME"))
    }
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_the_quickstart_runs_in_an_empty_folder(python: Path, tmp_path: Path) -> None:
    sets = [part for override in TINY for part in ("--set", override)]
    command = python.with_name("pozytywka")
    assert os.access(command, os.X_OK)
    assert command.read_text().splitlines()[0] == f"#!{python}"
    printed = run([python, "-c", TYPED, command, "pipeline", *sets], tmp_path)
    assert "models on the test months" in printed
    assert {path.name for path in tmp_path.iterdir()} == {"var"}, "everything is under var"
    _, package, page = printed.splitlines()[-1].split("|")
    assert str(python.parents[1]) in package, "the wheel's own files ran"
    assert Path(page).is_file()
    assert Path(page).is_relative_to(tmp_path)


def test_it_has_the_settings_files_and_every_job(python: Path) -> None:
    package = next((python.parents[1] / "lib").glob("python*/site-packages/pozytywka_spark"))
    assert {path.name for path in (package / "conf").iterdir()} == {
        path.name for path in (ROOT / "conf").iterdir()
    }
    jobs = {path.name for path in (package / "jobs").glob("*.py")} - {"__init__.py"}
    assert jobs == {path.name for path in (ROOT / "jobs").glob("*.py")}
    assert (package / "py.typed").is_file()

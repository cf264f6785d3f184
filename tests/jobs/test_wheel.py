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

from tests.worlds.made_delivery import FEW_MONTHS

ROOT = Path(__file__).resolve().parents[2]
TINY = [
    *FEW_MONTHS, "synthetic.users=150", "synthetic.months=6", "synthetic.tracks=400",
    "synthetic.played_tracks=200", "synthetic.artists=60",
    "spark.master=local[2]", "spark.shuffle_partitions=2", "spark.driver_memory=1g",
    "spark.conf.spark.sql.adaptive.enabled=false", "spark.conf.spark.sql.codegen.wholeStage=false",
    "spark.conf.spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
]  # fmt: skip
# what README tells people to type
IN_A_NOTEBOOK = """
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
    shutil.copytree(ROOT / "pozytywka_spark", folder / "source" / "pozytywka_spark")  # links followed
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    alone = ["--no-deps", "--no-index"]
    run([*pip, "wheel", *alone, "--no-build-isolation", "-w", folder, folder / "source"], folder)
    venv.create(folder / "venv", symlinks=True)
    packages = next((folder / "venv" / "lib").glob("python*/site-packages"))
    (packages / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    found = folder / "venv" / "bin" / "python"
    run([*pip, "--python", found, "install", *alone, next(folder.glob("*.whl"))], folder)
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
    printed = run([python.with_name("pozytywka"), "pipeline", *sets], tmp_path)
    assert "models on the test months" in printed
    assert {path.name for path in tmp_path.iterdir()} == {"var"}, "everything is under var"
    _, package, page = run([python, "-c", IN_A_NOTEBOOK], tmp_path).splitlines()[-1].split("|")
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

"""A base install: everything can be imported, and what is missing is named with its extra."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import EXTRAS, UsageError, require
from pozytywka_spark.experiments.analysis import power, proportions

ROOT = Path(__file__).parents[2]
MISSING = [(extra, package) for extra, packages in EXTRAS.items() for package in packages]
EVERY_MODULE = f"""
import importlib, pkgutil, sys
for name in {[package for _, package in MISSING]!r}:
    sys.modules[name] = None  # importing it fails, as if it weren't installed
import pozytywka_spark
for module in pkgutil.walk_packages(pozytywka_spark.__path__, "pozytywka_spark."):
    importlib.import_module(module.name)
"""


@pytest.mark.parametrize(("extra", "package"), MISSING)
def test_a_missing_package_is_named_with_its_extra(
    extra: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(extra)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        UsageError, match=rf"{package} isn't installed.*pip install 'pozytywka-spark\[{extra}\]'"
    ):
        require(extra)


def test_where_it_is_needed_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from pozytywka_spark.lake.open import open_any_lake
    from pozytywka_spark.simulation.stage import simulate
    from pozytywka_spark.training.stage import train

    for _, package in MISSING:
        monkeypatch.setitem(sys.modules, package, None)
    nothing = object()
    tuned = load_settings("local", ["tuning.enabled=true"])
    with pytest.raises(UsageError, match=r"\[tuning\]"):
        train(nothing, tuned, nothing)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"\[simulation\]"):
        simulate(nothing, tuned, nothing)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"\[delta-spark\]"):
        open_any_lake(load_settings("local", ["lake.engine=delta-spark"]), nothing)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"\[experiments\]"):
        power.smallest_effect(0.1, 100, 100, 0.05, 0.8)
    with pytest.raises(UsageError, match=r"\[experiments\]"):
        proportions.compare(proportions.sample([1], [9]), proportions.sample([1], [9]), 0.05)


def test_without_any_of_them_every_module_can_be_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EVERY_MODULE],
        env={"PATH": "", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_locks_hold_all_that_is_declared_with_hashes_and_no_host() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = dict(project["optional-dependencies"])
    assert set(EXTRAS) <= set(extras)
    dev = extras.pop("dev")
    run = [
        *project["dependencies"],
        *(line for name, lines in extras.items() if name != "all" for line in lines),
    ]
    for file, declared in (("requirements.lock", run), ("requirements-dev.lock", [*run, *dev])):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert "://" not in text
        pins = [line for line in text.splitlines() if line[:1].isalnum()]
        locked = {Requirement(pin.removesuffix("\\")).name.lower(): pin.split()[0] for pin in pins}
        assert all(pin.endswith("\\") for pin in pins), "a pin without hashes"
        assert "uv" in locked
        for wanted in map(Requirement, declared):
            version = locked[wanted.name.lower()].partition("==")[2]
            assert wanted.specifier.contains(version), f"{file}: {wanted}: run scripts/lock.sh"

"""What the front door costs and names."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pozytywka_spark as pz

ROOT = Path(__file__).parents[2]


def loaded_by(code: str) -> set[str]:
    """Modules that a process has imported once it has run `code`: they are the cost, not seconds."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        env={"PATH": "", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_imports_nothing_but_the_standard_library() -> None:
    loaded = loaded_by("import pozytywka_spark")
    ours = {name for name in loaded if name.startswith("pozytywka_spark")}
    assert ours == {"pozytywka_spark"}
    assert loaded - ours - loaded_by("import importlib, typing") == set()


def test_the_catalogue_starts_no_spark() -> None:
    loaded = loaded_by("import pozytywka_spark as pz\nassert len(pz.catalogue()) == 115")
    assert not loaded & {"pyspark", "py4j", "mlflow", "xgboost", "deltalake"}


def test_every_name_is_there() -> None:
    for name in pz.__all__:
        assert getattr(pz, name) is not None
    assert set(pz.__all__) <= set(dir(pz))
    with pytest.raises(AttributeError, match="no attribute 'polka'"):
        _ = pz.polka  # type: ignore[attr-defined]


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert pz.__version__ == project["version"]
    assert f"## [{pz.__version__}] - 20" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_catalogue_shows_itself() -> None:
    shown = pz.catalogue()._repr_html_()
    assert "<td>skip_rate</td>" in shown
    assert shown.count("<tr>") == 1 + len(pz.catalogue())
    assert pz.catalogue().names[0] == pz.catalogue().rows[0]["feature"]

"""What is named by a model's `code_hash`: the code of every room that decides the model, wherever it lies."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import pozytywka_spark
from pozytywka_spark.dataset import provenance

PACKAGE = Path(pozytywka_spark.__file__).parent
DECIDE = {"dataset", "dossier", "evaluation", "models", "promotion", "tracking", "training"}
# What these import beside each other, and why a change of it needs no other model
OTHERS = {
    "lake", "schemas",  # bring rows, which count by content
    "config", "features",  # count by the values of settings and the hash of the catalogue
    "hashing", "months", "names",  # stated once and for all, with test vectors
    "spark",  # decides how many threads, which is logged
    "cli", "errors", "reports",  # is what people see
}  # fmt: skip

HashOf = Callable[[], str]


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, HashOf]:
    """A copy of the package to change, and its hash as it is then."""
    folder = tmp_path / "package"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "files", lambda _: folder)
    return folder, provenance.code_hash.__wrapped__


@pytest.mark.thorough
def test_a_change_anywhere_in_a_room_that_decides_is_another_code(copied: tuple[Path, HashOf]) -> None:
    folder, hash_of = copied
    seen = {hash_of()}
    for room in sorted(DECIDE):
        for file in sorted((folder / room).rglob("*.py")):
            text = file.read_text()
            file.write_text(f"{text}\n# another line\n")
            assert hash_of() not in seen, file
            file.write_text(text)
    assert hash_of() in seen
    assert any(file.parent != folder / room for room in DECIDE for file in (folder / room).rglob("*.py"))
    (folder / "training" / "more.py").write_text("")
    assert hash_of() not in seen


def test_a_file_that_moves_to_another_room_is_another_code(copied: tuple[Path, HashOf]) -> None:
    folder, hash_of = copied
    before = hash_of()
    (folder / "models" / "target.py").rename(folder / "dataset" / "target.py")
    assert hash_of() != before


def test_what_decides_nothing_of_a_model_is_the_same_code(copied: tuple[Path, HashOf]) -> None:
    folder, hash_of = copied
    before = hash_of()
    (folder / "ingest" / "stage.py").write_text("")
    (folder / "training" / "notes.txt").write_text("not code")
    (folder / "training" / "__pycache__").mkdir()
    (folder / "training" / "__pycache__" / "stage.cpython-311.pyc").write_bytes(b"")
    assert hash_of() == before


def test_no_room_that_takes_part_in_a_training_is_forgotten() -> None:
    assert set(provenance.ROOMS) == DECIDE
    imported = {
        name.split(".")[1]
        for room in DECIDE
        for file in (PACKAGE / room).rglob("*.py")
        for name in _imports(file)
        if name.startswith("pozytywka_spark.")
    }
    assert imported <= DECIDE | OTHERS, "is it to be hashed, or why not?"


def _imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "pozytywka_spark":
            found |= {f"pozytywka_spark.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found

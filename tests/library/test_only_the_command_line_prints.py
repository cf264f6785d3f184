"""What a notebook imports never prints: no way leads from a stage or the front door to the command line."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from pozytywka_spark import cli
from pozytywka_spark.ingest import stage
from scripts.docs.rooms import statements

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pozytywka_spark"


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever in it; packages and names alike."""
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    files = {name_of(path): path for path in PACKAGE.rglob("*.py")}
    return {name: {found for found in imports(path) if found in files} for name, path in files.items()}


@pytest.mark.thorough
def test_stages_and_the_front_door_lead_nowhere_near_the_command_line(graph: dict[str, set[str]]) -> None:
    doors = {name for name in graph if name.startswith("pozytywka_spark.library") or name.endswith(".stage")}
    assert len(doors) > 12
    seen: set[str] = set()
    ahead = set(doors)
    while ahead:
        seen |= ahead
        ahead = {found for name in ahead for found in graph[name]} - seen
    assert "pozytywka_spark.lake.api" in seen, "the graph is followed"
    printing = {name for name in seen if name in ("pozytywka_spark.cli", "pozytywka_spark.__main__")}
    assert not printing | {name for name in seen if name.startswith("pozytywka_spark.jobs")}


def test_the_command_line_shows_what_the_library_logs(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("pozytywka_spark")
    before, level = list(log.handlers), log.level
    try:
        cli.show_progress()
        cli.show_progress()
        logging.getLogger(stage.__name__).info("waiting for %s", "it")
        assert capsys.readouterr().out == "  waiting for it\n", "once, however often it was asked for"
    finally:
        log.handlers[:] = before
        log.setLevel(level)

"""Worlds are in one place, with a line each, and tests find each other's parts in one manner."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests import worlds

TESTS = Path(__file__).resolve().parent
BY_HAND = {"bench/bench_training.py"}  # run as a script


def test_the_guide_names_every_world_and_no_other() -> None:
    named = re.findall(r"^    (\w+) ", worlds.__doc__ or "", re.MULTILINE)
    there = {file.stem for file in (TESTS / "worlds").glob("*.py")} - {"__init__"}
    assert sorted(named) == sorted(there)


@pytest.mark.thorough
def test_parts_of_tests_are_imported_by_their_whole_name() -> None:
    texts = {str(file.relative_to(TESTS)): file.read_text("utf-8") for file in TESTS.rglob("*.py")}
    parts = {stem for stem in (Path(file).stem for file in texts) if not stem.startswith("test_")}
    # only what may be such an import is parsed: all tests are a second of it and a million nodes
    files = {
        file: list(ast.walk(ast.parse(text)))
        for file, text in texts.items()
        if "sys.path.insert" in text or parts & set(re.findall(r"\bfrom\s+(\w+)\s+import\b", text))
    }
    bare = [
        f"{file}: {node.module}"
        for file, nodes in files.items()
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module in parts and node.level == 0
    ]
    inserts = [
        file
        for file, nodes in files.items()
        for node in nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "sys.path.insert" and file not in BY_HAND
    ]
    assert (bare, inserts) == ([], [])

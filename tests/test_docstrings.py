"""What is public is described: frames by their rows and columns. Ruff (D1) sees that all have a docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "pozytywka_spark"
FRAMES = {"DataFrame", "pl.DataFrame", "pl.LazyFrame", "pd.DataFrame"}
SAYS_ITS_ROWS = ("`", "column", "rows", "a row", "row per", "each row")


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Functions of the module and methods of its classes that are named for others to call."""
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from (each for each in inside if isinstance(each, ast.FunctionDef) and each.name[0] != "_")


@pytest.mark.thorough
def test_who_returns_a_frame_says_what_its_rows_or_columns_are() -> None:
    silent, described = [], 0
    for path in sorted(PACKAGE.rglob("*.py")):
        for function in public_functions(ast.parse(path.read_text(encoding="utf-8"))):
            if function.returns is None or ast.unparse(function.returns) not in FRAMES:
                continue
            text = (ast.get_docstring(function) or "").lower()
            described += 1
            if not any(word in text for word in SAYS_ITS_ROWS):
                silent.append(f"{path.relative_to(PACKAGE)}: {function.name}")
    assert not silent
    assert described > 50  # else the reading above is wrong

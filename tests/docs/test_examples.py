"""The life of a row and the notebook, run: what the pages show is what the stages do."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from scripts.docs import life
from scripts.docs.blocks import filled
from tests.docs.pages import DOCS

DECIMAL = re.compile(r"-?\d+\.\d+(?:e[+-]\d+)?")


def test_the_life_of_a_row_is_what_the_stages_write(spark: SparkSession, tmp_path: Path) -> None:
    page = (DOCS / life.PAGE).read_text(encoding="utf-8")
    made = filled(life.PAGE, life.blocks(life.run(spark, tmp_path)))
    # what isn't a number with decimals is equal, to the letter
    assert DECIMAL.sub("#", page) == DECIMAL.sub("#", made), "run .venv/bin/python -m scripts.docs"
    shown, real = DECIMAL.findall(page), DECIMAL.findall(made)
    # another processor may grow trees that differ in their last bits
    assert [float(each) for each in shown] == pytest.approx([float(each) for each in real], rel=0.02)


def test_the_notebook_runs(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((DOCS / "notebook.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, Any] = {}
    shown = [last_value("".join(cell["source"]), names) for cell in cells]
    assert all(cell["outputs"] == [] for cell in cells), "outputs are of one machine: leave them out"
    assert [hasattr(each, "_repr_html_") for each in shown[:5]] == [True] * 5
    assert len(names["features"]) == len(names["predictions"]) > 0
    assert len(shown[7]) == 5, "five reasons in words"
    assert shown[-1] == names["catalogue"].names[:5]
    assert {path.name for path in tmp_path.iterdir()} == {"var"}


def last_value(code: str, names: dict[str, Any]) -> Any:
    """What a notebook would show below a cell: the value of its last expression."""
    *before, last = ast.parse(code).body
    exec(compile(ast.Module(before, []), "notebook", "exec"), names)
    if isinstance(last, ast.Expr):
        return eval(compile(ast.Expression(last.value), "notebook", "eval"), names)
    exec(compile(ast.Module([last], []), "notebook", "exec"), names)
    return None

"""Which tables a file of the package writes, read off its calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pozytywka_spark import schemas
from pozytywka_spark.ingest.intake.contracts import CONTRACTS

WRITES = ("append", "upsert", "overwrite", "replace_partitions")
CONSTANTS = {name: each.name for name, each in vars(schemas).items() if isinstance(each, schemas.Table)}
# a function that writes the one table it is about, wherever it is called
BY_FUNCTION = {"write_span": "DATA_SPAN"}
# what a file's text has where it writes: most have not, and needn't be parsed
MAY_WRITE = re.compile(rf"\blake\s*\.\s*({'|'.join(WRITES)})\b|\b({'|'.join(BY_FUNCTION)})\b")


@dataclass(frozen=True)
class Written:
    """`certain`: tables that a call names; `possible`: these, and where a call is given a variable whatever
    tables the file names.
    """

    certain: frozenset[str]
    possible: frozenset[str]


def tables_written(file: Path) -> Written:
    """What the calls of a lake's methods in a file write."""
    text = file.read_text(encoding="utf-8")
    given = list(_given(ast.parse(text))) if MAY_WRITE.search(text) else []
    certain = {CONSTANTS[each] for each in given if each in CONSTANTS}
    has_variable = any(each not in CONSTANTS for each in given)
    return Written(frozenset(certain), frozenset(certain | (_named(text) if has_variable else set())))


def _given(tree: ast.Module) -> Iterator[str]:
    """The last name of what each call is given as its table."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called in BY_FUNCTION:
            yield BY_FUNCTION[called]
        lake, _, method = called.rpartition(".")
        # no rows: a mark in the log alone
        if method in WRITES and lake.split(".")[-1] == "lake" and ast.unparse(node.args[0]) != "[]":
            yield ast.unparse(node.args[1]).rpartition(".")[2]


def _named(text: str) -> set[str]:
    """All tables that a text speaks of by constant, by the function that makes one, or as any entity's."""
    constants = {CONSTANTS[name] for name in re.findall(r"\b[A-Z_]+\b", text) if name in CONSTANTS}
    made = set(re.findall(r"\b([a-z_]+)_table\(", text))
    silver = {contract.table.name for contract in CONTRACTS} if "contract.table" in text else set()
    return constants | made | silver

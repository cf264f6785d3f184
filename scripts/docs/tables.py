"""The reference of tables, read off their declarations and the comments above them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from pozytywka_spark import schemas
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.declared.declaration import measures_of
from pozytywka_spark.fraud.declared.catalogue import NAMES as SIGNALS
from scripts.docs.blocks import PROJECT, table
from scripts.docs.writers import WRITERS


def tables() -> str:
    """A section a table: grain, keys, partitions, columns."""
    grains = _grains()
    made = {
        "USER_MONTH": schemas.user_month_table([measure.name for measure in measures_of(CATALOGUE)]),
        "FEATURES": schemas.features_table([feature.name for feature in CATALOGUE]),
        "LABELS": schemas.labels_table("buys_within_30_days"),
        "SIGNALS": schemas.signals_table(SIGNALS),
    }
    declared = {name: each for name, each in vars(schemas).items() if isinstance(each, schemas.Table)}
    parts = [
        "One folder each under `lake.root`, in Delta Lake's format; declared in `pozytywka_spark/schemas/`. "
        "Times are UTC, `month` is the first day of a calendar month, identifiers of users are `bigint`."
    ]
    for name, each in sorted({**declared, **made}.items(), key=lambda item: item[1].name):
        parts.append(_table(each, grains.get(name, "")))
    unknown = sorted(set(WRITERS) - {each.name for each in (*declared.values(), *made.values())})
    if unknown:
        raise LookupError(f"scripts/docs/writers.py has tables that aren't declared: {', '.join(unknown)}")
    return "\n\n".join(parts)


def _table(each: schemas.Table, grain: str) -> str:
    if each.name not in WRITERS:
        raise LookupError(f"table {each.name}: name its jobs and files in scripts/docs/writers.py")
    facts = [f"- grain: {grain}"] if grain else []
    written = [f"`{job}`, in `pozytywka_spark/{file}`" for job, file in WRITERS[each.name]]
    facts += [f"- written by: {'; '.join(written)}"]
    facts += [f"- key: {', '.join(f'`{key}`' for key in each.keys)}"]
    if each.partition_by:
        facts += [f"- partitions: {', '.join(f'`{column}`' for column in each.partition_by)}"]
    if each.sorted_by:
        facts += [f"- sorted within a file by: {', '.join(f'`{column}`' for column in each.sorted_by)}"]
    if len(each.columns) > 60:
        names = ", ".join(f"`{field.name}`" for field in each.schema)
        kind = each.schema[2].dataType.simpleString()
        columns = f"{len(each.columns)} columns: {names}. Keys and partitions aside they are `{kind}`."
    else:
        columns = table(
            [{"column": f"`{field.name}`", "type": f"`{_short(field)}`"} for field in each.schema]
        )
    return f"## {each.name}\n\n" + "\n".join(facts) + f"\n\n{columns}"


def _short(field: Any) -> str:
    return str(field.dataType.simpleString())


def _grains() -> dict[str, str]:
    """By constant: the comment above it, or the docstring of the function that makes the table."""
    grains: dict[str, str] = {}
    for file in sorted((PROJECT / "pozytywka_spark" / "schemas").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        grains |= dict(_commented(text))
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name.endswith("_table"):
                said = " ".join((ast.get_docstring(node) or "").split())
                grains[node.name.removesuffix("_table").upper()] = said.removeprefix("Grain: ").rstrip(".")
    return grains


def _commented(text: str) -> Iterator[tuple[str, str]]:
    comment: list[str] = []
    for line in text.splitlines():
        if line.startswith("# "):
            comment.append(line[2:])
            continue
        declared = re.match(r"([A-Z_]+) = table\(", line)
        if declared and comment and comment[0].startswith("grain: "):
            yield declared[1], " ".join(comment).removeprefix("grain: ")
        comment = []

"""The reference: settings, tables, features, jobs and exit codes, as the code declares them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic_core import PydanticUndefined

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.config.base import Section
from pozytywka_spark.config.decisive import marks
from pozytywka_spark.features.declared.catalogue import CATALOGUE, catalogue_hash
from pozytywka_spark.features.declared.declaration import measures_of
from pozytywka_spark.features.page.catalogue_page import as_markdown
from pozytywka_spark.ingest.quality.findings import _REASON_MEANING as REASONS
from scripts.docs.blocks import PROJECT, table
from scripts.docs.job_help import help_of, jobs
from scripts.docs.writers import WRITERS

MADE = "<!-- made from code by `python -m scripts.docs`; edit the code, not this page -->"


def pages() -> dict[str, str]:
    """Each page of reference/, whole."""
    return {
        "reference/settings.md": _page("Settings", settings()),
        "reference/tables.md": _page("Tables", tables()),
        "reference/features.md": f"{MADE}\n\n{as_markdown(catalogue_hash())}",
        "reference/jobs.md": _page("Jobs", job_pages()),
        "reference/exit-codes.md": _page("Exit codes", exit_codes()),
        "reference/reason-codes.md": _page("Reason codes", reason_codes()),
    }


def _page(title: str, body: str) -> str:
    return f"{MADE}\n\n# {title}\n\n{body}\n"


def settings() -> str:
    """A section a group of settings: name, type, default, meaning, what changes with it."""
    parts = [
        "Given as `--set section.key=value`, or in `conf/base.yaml`, `conf/local.yaml` and `conf/cluster.yaml`; later "
        "ones win. A wrong key or value is refused by name. *Decides* names what comes out otherwise if the value "
        "is another: that is made anew, the rest is reused."
    ]
    parts += [_section(Settings, "", "General")]
    for name, field in Settings.model_fields.items():
        if _is_section(field.annotation):
            parts += list(_sections(field.annotation, f"{name}."))
    return "\n\n".join(parts)


def _sections(section: type[Section], prefix: str) -> Iterator[str]:
    yield _section(section, prefix, prefix.rstrip("."))
    for name, field in section.model_fields.items():
        if _is_section(field.annotation):
            yield from _sections(field.annotation, f"{prefix}{name}.")


def _section(section: type[Section], prefix: str, title: str) -> str:
    said = (section.__doc__ or "").strip().partition("\n")[0]
    rows = [
        {
            "setting": f"`{prefix}{name}`",
            "type": _type(field.annotation),
            "default": _default(field),
            "meaning": field.description or "",
            "decides": ", ".join(sorted(marks().get(f"{prefix}{name}") or ())),
        }
        for name, field in section.model_fields.items()
        if not _is_section(field.annotation)
    ]
    return f"## {title}\n\n{said}\n\n{table(rows)}" if rows else f"## {title}\n\n{said}"


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "from `conf/`"
    if value is None:
        return "unset"
    if isinstance(value, tuple | dict | list) and not value:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(annotation: Any) -> str:
    """A type as one would say it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is None:
        names = {
            "str": "text",
            "int": "whole number",
            "float": "number",
            "bool": "true or false",
            "datetime": "time",
        }
        return names.get(
            getattr(annotation, "__name__", ""), getattr(annotation, "__name__", str(annotation))
        )
    if str(origin) == "typing.Literal":
        return "one of " + ", ".join(f"`{each}`" for each in inner)
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"{_type(inner[0])} to {_type(inner[1])}"
    parts = [_type(each) for each in inner if each is not type(None) and not _is_constraint(each)]
    return " or ".join(dict.fromkeys(parts))


def _is_constraint(each: Any) -> bool:
    return not isinstance(each, type) and get_origin(each) is None


def tables() -> str:
    """A section a table: grain, keys, partitions, columns."""
    grains = _grains()
    made = {
        "USER_MONTH": schemas.user_month_table([measure.name for measure in measures_of(CATALOGUE)]),
        "FEATURES": schemas.features_table([feature.name for feature in CATALOGUE]),
        "LABELS": schemas.labels_table("buys_within_30_days"),
    }
    declared = {name: each for name, each in vars(schemas).items() if isinstance(each, schemas.Table)}
    parts = [
        "One folder each under `lake.root`, in Delta Lake's format; declared in `pozytywka_spark/schemas/`. Times are "
        "UTC, `month` is the first day of a calendar month, identifiers of users are `bigint`."
    ]
    for name, each in sorted({**declared, **made}.items(), key=lambda item: item[1].name):
        parts.append(_table(each, grains.get(name, "")))
    unknown = sorted(set(WRITERS) - {each.name for each in (*declared.values(), *made.values())})
    if unknown:
        raise LookupError(f"scripts/docs/writers.py has tables that aren't declared: {', '.join(unknown)}")
    return "\n\n".join(parts)


def _table(each: schemas.Table, grain: str) -> str:
    job, file = WRITERS[each.name]
    facts = [f"- grain: {grain}"] if grain else []
    facts += [f"- written by: `{job}`, in `pozytywka_spark/{file}`"]
    facts += [f"- key: {', '.join(f'`{key}`' for key in each.keys)}"]
    if each.partition_by:
        facts += [f"- partitions: {', '.join(f'`{column}`' for column in each.partition_by)}"]
    if each.sorted_by:
        facts += [f"- sorted within a file by: {', '.join(f'`{column}`' for column in each.sorted_by)}"]
    if len(each.columns) > 60:
        names = ", ".join(f"`{field.name}`" for field in each.schema)
        columns = f"{len(each.columns)} columns: {names}. Keys and partitions aside they are `{each.schema[2].dataType.simpleString()}`."
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


def job_pages() -> str:
    """The help of every job."""
    parts = [
        "Each is run as `scripts/submit.sh JOB`; `scripts/submit.sh JOB --help` prints what stands here."
    ]
    parts += [f"## {name}\n\n```text\n{help_of(name)}```" for name in jobs()]
    return "\n\n".join(parts)


def reason_codes() -> str:
    """What the codes of rows that were rejected, repaired or left out mean."""
    rows = [{"code": f"`{code}`", "meaning": meaning} for code, meaning in REASONS.items()]
    return (
        "In `reason` of the tables quarantine and ingest_counts, `repair_reason` of events, and on the quality page. "
        "A new one is [two lines](../how-to/add-a-check.md#a-reason-code).\n\n" + table(rows)
    )


def exit_codes() -> str:
    """What codes mean, and which errors have which."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in _job_files())
    rows = [{"code": str(code), "meaning": meaning} for code, meaning in CODES.items()]
    told = {int(code) for code in re.findall(r"exit(?: code)? (\d)", text)}
    unknown = told - set(CODES)
    if unknown:
        raise LookupError(
            f"jobs speak of exit codes {sorted(unknown)}, which scripts/docs/reference.py doesn't know"
        )
    errors = [
        {"error": f"`{name}`", "code": str(code), "raised when": said} for name, code, said in _errors()
    ]
    return f"{table(rows)}\n\n## Errors\n\nOf `pozytywka_spark.errors`; a job prints one line and ends with the code.\n\n{table(errors)}"


CODES: Mapping[int, str] = {
    0: "done, or nothing to do",
    1: "failed; one line on standard error says what to do, `--verbose` adds the stack trace",
    2: "wrong usage: the command line or a setting",
    3: "`gate`: the old champion was kept",
    4: "`monitor`: there are alerts",
    130: "interrupted; the same command goes on",
}


def _job_files() -> list[Path]:
    inside = PROJECT / "pozytywka_spark" / "jobs"
    return sorted((inside if inside.is_dir() else PROJECT / "jobs").glob("*.py"))


def _errors() -> Iterator[tuple[str, int, str]]:
    from pozytywka_spark import errors

    for name, each in vars(errors).items():
        if isinstance(each, type) and issubclass(each, errors.PozytywkaError):
            yield name, each.exit_code, (each.__doc__ or "").strip().partition("\n")[0]

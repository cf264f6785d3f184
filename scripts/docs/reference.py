"""The reference: settings, tables, features, jobs, exit codes and reason codes, as the code declares them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pozytywka_spark.features.declared.catalogue import catalogue_hash
from pozytywka_spark.features.page.catalogue_page import as_markdown
from pozytywka_spark.ingest.quality.findings import REASON_MEANING as REASONS
from scripts.docs.blocks import PROJECT, table
from scripts.docs.job_help import commands_of, help_of, jobs
from scripts.docs.settings import settings
from scripts.docs.tables import tables

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


def job_pages() -> str:
    """The help of every job."""
    parts = [
        "Each is run as `scripts/submit.sh JOB`, or `pozytywka JOB` where the wheel is installed; "
        "`scripts/submit.sh JOB --help` prints what stands here."
    ]
    for name in jobs():
        parts.append(f"## {name}\n\n```text\n{help_of(name)}```")
        parts += [f"### {name} {each}\n\n```text\n{help_of(name, each)}```" for each in commands_of(name)]
    return "\n\n".join(parts)


def reason_codes() -> str:
    """What the codes of rows that were rejected, repaired or left out mean."""
    rows = [{"code": f"`{code}`", "meaning": meaning} for code, meaning in REASONS.items()]
    return (
        "In `reason` of the tables quarantine and ingest_counts, `repair_reason` of events, and on the "
        "quality page. A new one: [add a reason code](../how-to/add-a-check.md#a-reason-code).\n\n"
        + table(rows)
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
    said = "Of `pozytywka_spark.errors`; a job prints one line and ends with the code."
    return f"{table(rows)}\n\n## Errors\n\n{said}\n\n{table(errors)}"


CODES: Mapping[int, str] = {
    0: "done, or nothing to do",
    1: "failed; one line on standard error says what to do, `--verbose` adds the stack trace",
    2: "wrong usage: the command line or a setting",
    3: "`gate`, and `pipeline --step gate`: the old champion was kept; `factory promote`: not proven again, "
    "the side stays in shadow; `feedback train`: the old model stays",
    4: "`monitor`, and `pipeline --step monitor`: there are alerts; `forecast check`, and `pipeline "
    "--step check`: a day is out of order; `featurestore verify`: a value differs; `featurestore status`: "
    "a table is older than promised",
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

"""Pages of Markdown as the tests of docs/ read them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Set
from pathlib import Path

from pozytywka_spark.lake.api import Lake

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "pozytywka_spark"
DOCS = PROJECT / "docs"
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[tuple[str, str]]:
    """Where its links to files lead: path and anchor; not those to other sites."""
    text = re.sub(r"`[^`\n]*`", "", prose(page))
    found = re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", text)
    return [(path, anchor) for path, anchor in found if "://" not in path]


def anchors(page: Path) -> set[str]:
    """What a code host makes of its headings."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def paths_named(page: Path) -> set[str]:
    """Files and folders of the project that a page speaks of, in code too; `JOB.py` stands for any."""
    text = re.sub(r"\]\([^)\s]*\)", "]", page.read_text(encoding="utf-8"))
    named = re.findall(r"(?<![\w./-])((?:pozytywka_spark|tests|scripts|conf|jobs|docs)/[\w./-]*)", text)
    return {name.rstrip(".") for name in named if not re.search(r"\b[A-Z]+\.", name)}


def rows(page: Path, head: str) -> list[list[str]]:
    """The cells of the table that begins with this line, row by row."""
    _, found, after = page.read_text(encoding="utf-8").partition(f"{head}\n")
    assert found, f"{page} has no table {head}"
    lines = [line for line in after.partition("\n\n")[0].splitlines() if not line.startswith("|--")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]


def commands(page: Path) -> list[list[str]]:
    """The words of each command of a job, up to what is spark-submit's own."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    text = re.sub(r"```text.*?```", "", text, flags=re.DOTALL)
    found = re.findall(r"scripts/submit\.sh ([a-z][^\n`]*)", text)
    split = [shlex.split(command.replace('"', "").replace("'", ""), comments=True) for command in found]
    return [words[: words.index("--")] if "--" in words else words for words in split]


def settings_named(page: Path, sections: Set[str]) -> set[str]:
    """Names in backticks that begin with a section of settings; Spark's own, calls and files aside."""
    named = re.findall(r"(?<![\w./])([a-z_]+(?:\.[a-z_0-9]+)+)(?==|`)", prose(page))
    own = {each for each in named if each.partition(".")[0] in sections}
    return {each for each in own if not each.startswith("spark.") and not _is_call(each)}


def _is_call(name: str) -> bool:
    """`lake.append` is what one calls on a lake."""
    object_, _, method = name.partition(".")
    return object_ == "lake" and hasattr(Lake, method)

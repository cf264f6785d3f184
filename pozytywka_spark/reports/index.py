"""The index of a folder's pages: one link each, with its title and when it was made."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pozytywka_spark.reports.files import SUFFIX, write_whole
from pozytywka_spark.reports.page import Page

INDEX = f"index{SUFFIX}"
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL | re.IGNORECASE)
_HEAD = 4096  # bytes of a page that its title stands in


@dataclass(frozen=True)
class Listed:
    """A page of the folder: its file's name, its title and when it was last written, UTC."""

    name: str
    title: str
    made: datetime


def write_index(folder: Path) -> None:
    """Write the index of the pages that are in the folder now.

    Looks again once it is written: of two who write pages at once, the later one's index has both.
    """
    listed = None
    while listed != (found := pages_of(folder)):
        listed = found
        write_whole(folder / INDEX, index_of(found))


def index_of(pages: list[Listed]) -> str:
    """The index as HTML, pages in the order of their titles."""
    page = Page(
        "Pozytywka's pages", subtitle="what the jobs have written here last, each with its time (UTC)"
    )
    section = page.section("Pages")
    section.links([(each.name, each.title, f"{each.made:%Y-%m-%d %H:%M}, {each.name}") for each in pages])
    section.text("A model's dossier is an artefact of its run in MLflow.")
    return page.render()


def pages_of(folder: Path) -> list[Listed]:
    """The folder's pages but for the index, in the order of their titles; none that has just gone."""
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        if path.name == INDEX or path.name.startswith("."):
            continue
        try:
            with path.open("rb") as page:
                head = page.read(_HEAD).decode("utf-8", errors="replace")
            made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            continue
        title = _TITLE.search(head)
        words = html.unescape(title.group(1)).strip() if title else ""
        found.append(Listed(path.name, words or path.stem, made))
    return sorted(found, key=lambda each: (each.title.casefold(), each.name))

"""The index lists every page there is, and is written anew with each."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.reports import index
from pozytywka_spark.reports.files import write_page, write_whole
from pozytywka_spark.reports.page import Page


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings("local", [f"home={tmp_path}"])


def listed(settings: Settings) -> list[tuple[str, str, str]]:
    """File, title and note of each link of the index."""
    text = (Path(settings.home) / "reports" / "index.html").read_text()
    found = re.findall(r'<li><a href="(.*?)">(.*?)</a> <small>(.*?)</small>', text)
    return [(unquote(name), title, note) for name, title, note in found]


def test_every_page_is_listed_with_its_title_and_its_time(settings: Settings) -> None:
    reports = Path(settings.home) / "reports"
    made = datetime(2023, 5, 6, 7, 8, tzinfo=UTC).timestamp()
    for name, title in (
        ("monitoring.html", "Watching <premium> & co"),
        ("experiment-50% off.html", "An experiment"),
    ):
        os.utime(write_page(settings, name, Page(title).render()), (made, made))
    write_page(settings, "curves.json", "{}")
    write_whole(reports / "by hand.html", "<p>no title</p>")
    write_page(settings, "zero.html", Page("Zero").render())
    assert [row[:2] for row in listed(settings)] == [
        ("experiment-50% off.html", "An experiment"),
        ("by hand.html", "by hand"),
        ("monitoring.html", "Watching &lt;premium&gt; &amp; co"),
        ("zero.html", "Zero"),
    ]
    assert listed(settings)[0][2] == "2023-05-06 07:08, experiment-50% off.html"
    (reports / "by hand.html").unlink()
    write_page(settings, "zero.html", Page("Nought").render())
    assert [row[1] for row in listed(settings)] == [
        "An experiment", "Nought", "Watching &lt;premium&gt; &amp; co",
    ]  # fmt: skip
    assert not [path for path in reports.iterdir() if path.name.startswith(".")]


def test_no_index_without_a_page(settings: Settings) -> None:
    write_page(settings, "curves.json", "{}")
    assert not (Path(settings.home) / "reports" / "index.html").exists()


def test_a_page_that_comes_while_the_index_is_written_is_not_lost(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(settings.home) / "reports" / "other.html"
    make = index.index_of

    def slow(pages: list[index.Listed]) -> str:
        text = make(pages)
        if not other.exists():  # another job's page and index, in between
            write_whole(other, Page("Other").render())
        return text

    monkeypatch.setattr(index, "index_of", slow)
    write_page(settings, "mine.html", Page("Mine").render())
    assert [row[0] for row in listed(settings)] == ["mine.html", "other.html"]

"""Where pages are written for people to open, and small files in one move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from pozytywka_spark.config import Settings

SUFFIX = ".html"
INGEST_PAGE = "ingest.html"  # the state after the last ingest


def page_path(settings: Settings, name: str) -> Path:
    """Where a page lies: in `home`/reports."""
    return Path(settings.home) / "reports" / name


def write_page(settings: Settings, name: str, text: str) -> Path:
    """Put a page in its place in one move, so that nobody opens half of one; its path.

    The index of all pages beside it, `index.html`, then lists it.
    """
    path = page_path(settings, name)
    write_whole(path, text)
    if path.suffix == SUFFIX:
        from pozytywka_spark.reports.index import write_index  # needs templates, which few who import this do

        write_index(path.parent)
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a small local file as `unfinished` does."""
    with unfinished(path) as place:
        place.write_text(text, encoding="utf-8")


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Another name to write a local file under, which is then renamed: it has its old content or the new,
    never half, and not that of two who write it at once. If the block fails, the old one stays.

    Makes the folders above it. Raises `OSError` if it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        yield place
        place.replace(path)
    finally:
        place.unlink(missing_ok=True)

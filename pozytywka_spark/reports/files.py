"""Where pages are written for people to open, and small files in one move."""

from __future__ import annotations

from pathlib import Path

from pozytywka_spark.config import Settings

INGEST_PAGE = "ingest.html"  # the state after the last ingest


def page_path(settings: Settings, name: str) -> Path:
    """Where a page lies: in `home`/reports."""
    return Path(settings.home) / "reports" / name


def write_page(settings: Settings, name: str, text: str) -> Path:
    """Put a page in its place in one move, so that nobody opens half of one; its path."""
    path = page_path(settings, name)
    write_whole(path, text)
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a local file under another name and rename it: it has its old content or the new, never half.

    Makes the folders above it. Raises `OSError` if it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)

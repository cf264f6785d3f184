"""Where pages are written for people to open."""

from __future__ import annotations

from pathlib import Path

from pozytywka_spark.config import Settings


def write_page(settings: Settings, name: str, text: str) -> Path:
    """Write a page under `home`/reports and say where."""
    path = Path(settings.home) / "reports" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path

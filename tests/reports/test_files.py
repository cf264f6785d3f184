"""Pages are put in their place in one move."""

from __future__ import annotations

from pathlib import Path

import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.reports.files import page_path, write_page


def test_a_page_that_cant_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings("local", [f"home={tmp_path}"])
    written = write_page(settings, "ingest.html", "<p>before</p>")
    assert written == page_path(settings, "ingest.html") == tmp_path / "reports" / "ingest.html"
    write = Path.write_text

    def half(path: Path, text: str, **how: str) -> int:
        write(path, text[:4], **how)
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="No space"):
        write_page(settings, "ingest.html", "<p>after</p>")
    assert written.read_text() == "<p>before</p>"

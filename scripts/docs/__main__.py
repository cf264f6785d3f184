"""Make again what of docs/ is made from code: `.venv/bin/python -m scripts.docs`, from the project's folder.

`--without-life` leaves out the life of a row, the only part that runs the stages.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from scripts.docs import life, reference, rooms
from scripts.docs.blocks import DOCS, filled


def main() -> None:
    """Write the pages that would differ and name them."""
    parser = argparse.ArgumentParser(prog="python -m scripts.docs", description=__doc__)
    parser.add_argument("--without-life", action="store_true", help="no Spark: the other pages only")
    args = parser.parse_args()
    pages = {**reference.pages(), rooms.PAGE: filled(rooms.PAGE, rooms.blocks())}
    if not args.without_life:
        pages[life.PAGE] = filled(life.PAGE, life.blocks(_lived()))
    for name, text in pages.items():
        file = DOCS / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            print(f"docs/{name}")  # noqa: T201 a command's own output


def _lived() -> life.Life:
    from pozytywka_spark.config import load_settings
    from pozytywka_spark.spark.session import build_session

    with tempfile.TemporaryDirectory() as home:
        spark = build_session(load_settings("local", [f"home={home}"]), "docs")
        try:
            return life.run(spark, Path(home))
        finally:
            spark.stop()


if __name__ == "__main__":
    main()

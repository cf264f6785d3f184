"""For the site only: links that lead out of docs/ become plain text, the benches' picture comes along."""

from __future__ import annotations

import os
import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from scripts.docs.blocks import PROJECT

PICTURE = "tests/bench/results/results.svg"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The picture as if it lay in docs/."""
    files.append(File.generated(config, "results.svg", abs_src_path=str(PROJECT / PICTURE)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """A page whose links all lead to other pages."""
    folder = os.path.dirname(page.file.src_uri)  # noqa: PTH120 an address, not a path

    def inside(link: re.Match[str]) -> str:
        where = os.path.normpath(os.path.join(folder, link["to"]))  # noqa: PTH118 an address, not a path
        return link["text"] if where.startswith("..") or where.endswith(".ipynb") else link[0]

    return re.sub(
        r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<to>[^)#:]+)(#[^)]*)?\)",
        inside,
        markdown.replace(f"../{PICTURE}", "results.svg"),
    )

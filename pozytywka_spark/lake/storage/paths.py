"""Local paths."""

from __future__ import annotations

import os


def absolute(path: str) -> str:
    """A local path made absolute, without `..`, so that one place has one name; links aren't followed.

    Spark gives paths back in this form; one that keeps `..`, as `Path.absolute` does, would match none.
    """
    return os.path.abspath(path)  # noqa: PTH100 Path.resolve would follow links

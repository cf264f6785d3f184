"""Files of track ids, one a line: what no page shows, and what is promoted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pozytywka_spark.errors import UsageError
from pozytywka_spark.feed.pairs import Array

_TRACK_ID = 200  # characters; longer lines aren't ids


def read_ids(path: str | None, setting: str) -> tuple[str, ...]:
    """The ids of a file, sorted, each once; empty lines and those that begin with # say nothing.

    Raises `UsageError` naming the setting and the file if it can't be read or isn't such a list.
    """
    if path is None:
        return ()
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it isn't text in UTF-8"
        raise UsageError(
            f"{setting} {path}: can't be read: {why}; give a file of track ids, one a line"
        ) from None
    ids = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    odd = sorted(one for one in ids if len(one) > _TRACK_ID or "," in one or "\t" in one)
    if odd:
        raise UsageError(f"{setting} {path}: {odd[0][:40]!r} is no track id; expected one a line")
    return tuple(sorted(ids))


def mask_of(ids: tuple[str, ...], track_id: Array) -> Array:
    """Which tracks of a track side (its ids) are among them."""
    mask: Array = np.isin(track_id, np.array(ids, dtype=object)) if ids else np.zeros(len(track_id), bool)
    return mask

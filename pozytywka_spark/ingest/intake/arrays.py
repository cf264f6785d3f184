"""A JSON array with one object a line, read as JSON Lines: brackets and separating commas are no rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pozytywka_spark.ingest.intake.textlines import Lines

BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\n\r"


class BrokenArrayError(ValueError):
    """The array has no end, or something comes after it."""


def array_rows(cut: Iterable[Lines]) -> Iterator[Lines]:
    """The array's items, each with the offset of the line that it stands on; `cut` are all lines of a file.

    Of an item's line, one separating comma is taken away, at its end or (where it stands first) at its
    beginning, and the array's own brackets; whatever else is there stays, to be judged as a row.
    Raises `BrokenArrayError` where the array doesn't end with the file.
    """
    walk = _Walk()
    for lines in cut:
        items = [(walk.item(text), at) for text, at in zip(lines.texts, lines.offsets, strict=True)]
        rows = [(item, at) for item, at in items if item]
        if rows:
            yield Lines([item for item, _ in rows], [at for _, at in rows])
    if walk.place != _AFTER:
        raise BrokenArrayError("the array has no end: the file was cut off")


def ends_array(text: bytes) -> bool:
    """Whether a line (stripped) closes the array, behind an item or alone."""
    return text == b"]" or (text.endswith(b"]") and text[:-1].rstrip(_BLANK + b",").endswith(b"}"))


_BEFORE, _INSIDE, _AFTER = "before", "inside", "after"


class _Walk:
    """Where in the array the next line stands."""

    def __init__(self) -> None:
        self.place = _BEFORE

    def item(self, text: bytes) -> bytes:
        """The line's item, empty if there is none on it."""
        text = text.strip(_BLANK)
        if self.place == _BEFORE:
            text = text.removeprefix(BOM).lstrip(_BLANK)
            if not text:
                return b""
            self.place = _INSIDE
            text = text.removeprefix(b"[").lstrip(_BLANK)
        elif self.place == _AFTER and text:
            raise BrokenArrayError("something comes after the array's end")
        elif text.startswith(b","):
            text = text[1:].lstrip(_BLANK)
        if ends_array(text):
            self.place = _AFTER
            text = text[:-1].rstrip(_BLANK)
        return text.removesuffix(b",").rstrip(_BLANK)

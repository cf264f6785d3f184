"""Text that isn't JSON Lines in UTF-8, told by its first lines (stripped, none blank)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from pozytywka_spark.ingest.intake.wrong_kinds import AGAIN, Wrong

FOREIGN = Wrong(
    "text in an encoding other than UTF-8, such as cp1250 or latin-2",
    "turn it into UTF-8: iconv -f cp1250 -t utf-8",
)
HTML = Wrong("an HTML page, perhaps an error in place of the download", AGAIN)
XML = Wrong("XML, perhaps an error in place of the download", f"{AGAIN}, as JSON Lines")
RECORDS = Wrong("a JSON text sequence (RFC 7464)", "strip the record separators: tr -d '\\036'")

# Of the lines looked at: with fewer in another encoding, those are rows to be judged one by one
_FOREIGN_SHARE = 0.1
_LOOKED_AT = 100
_MARKUP = re.compile(rb"<(!doctype\s+html|html|head|body|title|h1|div|pre|script|center)", re.IGNORECASE)


def wrong_text(lines: Sequence[bytes], fields: Sequence[str]) -> Wrong | None:
    """What the text is, if its beginning leaves no doubt; `fields`: the names that rows should have."""
    seen = lines[:_LOOKED_AT]
    if sum(line.startswith(b"\x1e") for line in seen) > len(seen) / 2:
        return RECORDS
    if not any(line.startswith((b"{", b"[")) for line in seen):
        if lines[0].startswith(b"<"):
            return HTML if _MARKUP.match(lines[0]) else XML
        return _separated(seen, fields)
    return _foreign(lines)


def _foreign(lines: Sequence[bytes]) -> Wrong | None:
    """Lines that are JSON but for their encoding: a sizeable part of all, most of those beyond ASCII."""
    beyond = [line for line in lines if not line.isascii()]
    foreign = sum(_is_foreign(line) for line in beyond)
    sizeable = foreign > _FOREIGN_SHARE * len(lines) and foreign * 2 > len(beyond)
    return FOREIGN if sizeable and (foreign > 1 or len(lines) == 1) else None


def _is_foreign(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        # every byte is something in latin-1, and what is JSON's own is ASCII
        text = line.decode("latin-1").strip("[], \t")
        try:
            return isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            return False
    return False


def _separated(lines: Sequence[bytes], fields: Sequence[str]) -> Wrong | None:
    """Values between separators: by a header of the entity's names, or by as many on each line."""
    names = {name.encode() for name in fields}
    for separator, seems in ((b",", "CSV"), (b"\t", "TSV"), (b";", "CSV"), (b"|", "CSV")):
        header = {cell.strip(b" \"'").lower() for cell in lines[0].split(separator)}
        counts = {line.count(separator) for line in lines}
        even = len(lines) > 1 and len(counts) == 1 and counts.pop() > 0
        if len(header & names) > 1 or (even and not any(b'":' in line for line in lines)):
            return Wrong(f"{seems}, not JSON", "write each row as a JSON object with its fields' names")
    return None

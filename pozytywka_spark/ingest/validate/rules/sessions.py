"""Sessions: what an event's fields mean, and which rules it must keep."""

from __future__ import annotations

from typing import Any

from pozytywka_spark.ingest.validate.rules import kinds
from pozytywka_spark.ingest.validate.rules.common import needed
from pozytywka_spark.ingest.validate.rules.identifiers import number_id, text_id
from pozytywka_spark.ingest.validate.rules.times import epoch_micros, iso_micros
from pozytywka_spark.ingest.validate.rules.verdict import Broken, Entity, Judging, Meaning, Row
from pozytywka_spark.names import ADVERTISEMENT, BUY_PREMIUM, EVENT_TYPES, LIKE, PLAY, SKIP

SPELLINGS = {"ADVERTISMENT": ADVERTISEMENT}
EARLIEST, LATEST = "2000-01-01", "2100-01-01"
EMPTY_TRACK = "empty track_id"
FROM_EPOCH = "timestamp_from_epoch"

_EARLIEST, _LATEST = 946_684_800_000_000, 4_102_444_800_000_000
_WITH_TRACK = frozenset((PLAY, SKIP, LIKE))
_WITHOUT_TRACK = frozenset((ADVERTISEMENT, BUY_PREMIUM))
_BAD_TIMESTAMP = Broken("bad_timestamp", "timestamp: YYYY-MM-DDTHH:MM:SS[.ffffff], a real date and time")
_OUT_OF_RANGE = Broken("out_of_range", f"timestamp: from {EARLIEST} to before {LATEST}")
_UNKNOWN_TYPE = Broken("unknown_event_type", f"event_type: one of {', '.join(EVENT_TYPES)}")
_UNEXPECTED_TRACK = Broken("unexpected_track", "track_id: none on adverts and purchases")


def meaning(row: Row, judging: Judging, unit: str | None) -> Meaning:
    """Silver columns of an event, as far as they can be told of it alone, and the rule that it breaks."""
    notes: list[str] = []
    user = number_id(row.get("user_id"), "user_id", notes)
    session = number_id(row.get("session_id"), "session_id", notes)
    raw_track = row.get("track_id")
    track = text_id(raw_track, "track_id", notes)
    if raw_track == "":
        notes.append(EMPTY_TRACK)
    kind = event_type(row.get("event_type"), notes)
    time, noted = event_time(row.get("timestamp"), unit)
    if noted:
        notes.append(noted)
    broken = (
        time_broken(time, judging)
        or needed("session_id", session)
        or (_UNKNOWN_TYPE if kind is not None and kind not in EVENT_TYPES else None)
        or (_UNEXPECTED_TRACK if track is not None and kind in _WITHOUT_TRACK else None)
    )
    incomplete = user is None or kind is None or (track is None and kind in _WITH_TRACK)
    return Meaning((time, kind, user, session, track, raw_track == ""), broken, notes, incomplete)


def event_time(value: Any, unit: str | None) -> tuple[int | None, str | None]:
    """Microseconds since 1970, UTC, None if the value is no time; and what is to be noted."""
    if value is None:
        return None, None
    if unit is not None:
        micros = epoch_micros(value, unit)
        if micros is not None:
            return micros, FROM_EPOCH
    return (iso_micros(value) if isinstance(value, str) else None), None


def time_broken(time: int | None, judging: Judging) -> Broken | None:
    """The rule that an event's time breaks: real, within a century, not in the future."""
    if time is None:
        return _BAD_TIMESTAMP
    if not _EARLIEST <= time < _LATEST:
        return _OUT_OF_RANGE
    latest = judging.latest_micros
    return Broken("in_the_future", judging.future_rule) if latest is not None and time > latest else None


def event_type(raw: str | None, notes: list[str]) -> str | None:
    """One of the five types whatever its case or misspelling, None for none, else as it came in capitals."""
    if raw is None or raw in EVENT_TYPES:
        return raw
    upper = raw.strip(" ").upper()
    meant = SPELLINGS.get(upper, upper)
    if meant in EVENT_TYPES:
        notes.append("case of event_type" if upper == meant else "spelling of event_type")
    return meant or None


RULES = Entity(
    "sessions",
    {
        "timestamp": kinds.text,
        "user_id": kinds.number_key,
        "track_id": kinds.text,
        "event_type": kinds.text,
        "session_id": kinds.number_key,
    },
    ("user_id", "track_id", "session_id"),
    ("event_time", "event_type", "user_id", "session_id", "track_id", "no_track"),
    meaning,
)

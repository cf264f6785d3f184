"""What people write or answer: a text, masked before anything else sees it, and what was said of it."""

from __future__ import annotations

import re

from pozytywka_spark.ingest.masking.patterns import mask_patterns
from pozytywka_spark.ingest.masking.plain_text import plain_text
from pozytywka_spark.ingest.validate.rules import kinds
from pozytywka_spark.ingest.validate.rules.common import beyond, first, needed
from pozytywka_spark.ingest.validate.rules.identifiers import number_id, stands_for_none, text_id
from pozytywka_spark.ingest.validate.rules.privacy import MASK
from pozytywka_spark.ingest.validate.rules.sessions import event_time, time_broken
from pozytywka_spark.ingest.validate.rules.times import month_days
from pozytywka_spark.ingest.validate.rules.verdict import Broken, Entity, Judging, Meaning, Row
from pozytywka_spark.names import FEEDBACK_CHANNELS

BOUNDS = {"score": (0, 10)}
_ID = re.compile(r"[^\s@*]{1,128}")
# What a queue is called: a few words, nothing that could be a text, an address or a number of somebody's
_QUEUE = re.compile(r"[^\W\d_][\w /&-]{0,63}")
_BAD_ID = Broken("bad_identifier", "feedback_id: at most 128 characters, none of them a blank, @ or *")
_MISSING_USER = Broken("missing_user", "user_id: who wrote it")
_UNKNOWN_CHANNEL = Broken("unknown_channel", f"channel: one of {', '.join(FEEDBACK_CHANNELS)}")
_MISSING_TEXT = Broken("missing_text", "text: at least one character that can be seen, or a score without it")
_BAD_QUEUE = Broken("bad_queue", "queue: a name of at most 64 letters, digits and blanks; null: unknown")


def meaning(row: Row, judging: Judging, unit: str | None) -> Meaning:
    """Silver columns of a text (users' own names aren't masked yet), and the rule that the row breaks.

    Null is a text that was dropped as its row was put into quarantine, for all else of the row still counts;
    and the one of a score without words, as most answers to "would you recommend us" are.
    """
    notes: list[str] = []
    feedback = text_id(row.get("feedback_id"), "feedback_id", notes)
    user = number_id(row.get("user_id"), "user_id", notes)
    time, noted = event_time(row.get("timestamp"), unit)
    if noted:
        notes.append(noted)
    channel, queue = _channel(row.get("channel"), notes), _queue(row.get("queue"))
    raw = row.get("text")
    dropped = raw == MASK
    text, masked = mask_patterns(plain_text(raw)) if raw and not dropped else ("", 0)
    score = row.get("score")
    if masked:
        notes.append("masked text")
    broken = first(
        needed("feedback_id", feedback),
        _BAD_ID if feedback is not None and not _ID.fullmatch(feedback) else None,
        time_broken(time, judging),
        _MISSING_USER if user is None else None,
        None if channel in FEEDBACK_CHANNELS else _UNKNOWN_CHANNEL,
        None if text or dropped or score is not None else _MISSING_TEXT,
        beyond({"score": score}, BOUNDS),
        None if queue is None or _is_queue(queue) else _BAD_QUEUE,
    )
    month = None if time is None or broken is not None else month_days(time)
    columns = (
        feedback, time, user, channel, text or None, score, queue, row.get("spam"), masked, month, 0,
    )  # fmt: skip
    return Meaning(columns, broken, notes)


def _channel(raw: str | None, notes: list[str]) -> str | None:
    """The channel in small letters, without blanks around it."""
    if raw is None or raw in FEEDBACK_CHANNELS:
        return raw
    meant = raw.strip(" ").lower()
    if meant in FEEDBACK_CHANNELS:
        notes.append("case of channel")
    return meant


def _queue(raw: str | None) -> str | None:
    """The queue without blanks around it; None where a text stands for none."""
    return None if raw is None or stands_for_none(raw) else raw.strip()


def _is_queue(queue: str) -> bool:
    return bool(_QUEUE.fullmatch(queue)) and not mask_patterns(queue)[1]


RULES = Entity(
    "feedback",
    {
        "feedback_id": kinds.text,
        "timestamp": kinds.text,
        "user_id": kinds.number_key,
        "channel": kinds.text,
        "text": kinds.text,
        "score": kinds.whole,
        "queue": kinds.text,
        "spam": kinds.flag,
    },
    ("feedback_id", "user_id"),
    (
        "feedback_id",
        "feedback_time",
        "user_id",
        "channel",
        "text",
        "score",
        "queue",
        "spam",
        "masked",
        "feedback_month",
        "user_bucket",
    ),
    meaning,
    safe=("feedback_id", "timestamp", "user_id", "channel", "score", "queue", "spam"),
)

"""Timestamps and dates, as microseconds and days since 1970.

An ISO timestamp is read as Spark's cast reads it, for that is how the events of every lake so far were
read: one digit will do for anything but the year, the fraction is cut to microseconds, behind the seconds
any zone of Java may follow, blanks and control characters at the end are nothing.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pozytywka_spark.ingest.validate.rules.zones import offset_of

# Microseconds in the unit of a number that stands for a time
UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}

# Up to the seconds any part may be the last; a zone is whatever follows them that is no digit.
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{1,2})(?:-([0-9]{1,2})(?:[ T]([0-9]{1,2})(?::([0-9]{1,2})(?::([0-9]{1,2})"
    r"(?:\.([0-9]*))?([^0-9].*)?)?)?)?)?",
    re.DOTALL,
)
# Java's white space and control characters of one byte
_AT_THE_END = "".join(map(chr, range(33))) + "\x7f"
_AROUND_A_ZONE = "".join(map(chr, range(33)))
_SHORTEST = 19
_DIGITS = re.compile(r"[0-9]{1,19}(?:\.[0-9]{1,9})?")
_BEYOND = 2**63
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?$")
_DAY = 86_400
_FIRST_DAY = date(1970, 1, 1).toordinal()
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097
# Events crowd on few days
_CACHED = 4096


def iso_micros(text: str) -> int | None:
    """An ISO timestamp, with a time at least as long as to the second; None if it isn't one.

    Without a zone it is UTC. A time without a date is none, nor is one before year 0 or after 9999.
    """
    if len(text) < _SHORTEST:
        return None
    match = _ISO.fullmatch(text.rstrip(_AT_THE_END))
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups("")
    days, h, m, s = _days(year, month, day or "1"), int(hour or 0), int(minute or 0), int(second or 0)
    if days is None or h > 23 or m > 59 or s > 59:
        return None
    seconds = days * _DAY + h * 3600 + m * 60 + s
    if zone:
        offset = offset_of(zone.strip(_AROUND_A_ZONE))
        if offset is None:
            return None
        # Python knows no year 0, a leap year; it is out of range in any zone
        seconds -= offset(datetime(int(year) or 4, int(month), int(day or 1), h, m, s))
    return seconds * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def epoch_micros(value: Any, unit: str) -> int | None:
    """A number, or a text of digits, in `unit` since 1970; None if it is neither, or beyond all time.

    What is less than a microsecond is cut, as of an ISO timestamp.
    """
    written = value if isinstance(value, str) else repr(value)
    if not _DIGITS.fullmatch(written):
        return None
    micros = int(Decimal(written) * UNITS[unit])
    return micros if micros < _BEYOND else None


def month_days(micros: int) -> int:
    """Days from 1970 to the first of the month (UTC) of a moment in microseconds, from year 1 on."""
    day = date.fromordinal(_FIRST_DAY + micros // (_DAY * 1_000_000))
    return day.toordinal() - day.day + 1 - _FIRST_DAY


def date_days(text: str) -> int | None:
    """`YYYY`, `YYYY-MM` or `YYYY-MM-DD` as the first day it can mean; None if it is no date."""
    match = _DATE.match(text)
    if not match:
        return None
    return _days(*match.groups("1"))


@lru_cache(_CACHED)
def _days(year: str, month: str, day: str) -> int | None:
    """Days since 1970 in the Gregorian calendar, from year 0; None if there is no such day."""
    y, m, d = int(year), int(month), int(day)
    try:
        if y:
            return date(y, m, d).toordinal() - _FIRST_DAY
        return date(_CYCLE_YEARS, m, d).toordinal() - _CYCLE_DAYS - _FIRST_DAY
    except ValueError:
        return None

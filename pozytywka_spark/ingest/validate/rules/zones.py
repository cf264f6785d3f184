"""Time zones at the end of a timestamp, named or as an offset, as Java reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

# Local time (from year 1) to the zone's seconds east of Greenwich
Offset = Callable[[datetime], int]

# Java's three-letter names; the three without daylight saving are offsets
_SHORT = {
    "ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires",
    "ART": "Africa/Cairo", "AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka",
    "CAT": "Africa/Harare", "CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai",
    "EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris", "EST": "-05:00", "HST": "-10:00",
    "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo",
    "MIT": "Pacific/Apia", "MST": "-07:00", "NET": "Asia/Yerevan", "NST": "Pacific/Auckland",
    "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico",
    "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh",
}  # fmt: skip
_ONE_HOUR_DIGIT = re.compile(r"([+-])([0-9]):")
_ONE_MINUTE_DIGIT = re.compile(r"([+-])([0-9][0-9]):([0-9])$")
_OFFSET = re.compile(
    r"([+-])(?:([0-9])|([0-9]{2})(?:([0-9]{2})(?:([0-9]{2}))?|:([0-9]{2})(?::([0-9]{2}))?)?)"
)
_MOST = 18 * 3600
# A bounded cache: names come from the data.
_CACHED = 1024


@lru_cache(_CACHED)
def offset_of(name: str) -> Offset | None:
    """The zone of that name (`Z`, `+05:30`, `UTC-1`, `Europe/Warsaw`); None if there is no such zone."""
    name = _ONE_HOUR_DIGIT.sub(r"\g<1>0\2:", name, count=1)
    name = _ONE_MINUTE_DIGIT.sub(r"\1\2:0\3", name, count=1)
    name = _SHORT.get(name, name)
    if name in ("Z", "UTC", "GMT", "UT"):
        return lambda _: 0
    for prefix in ("UTC", "GMT", "UT", ""):
        if name.startswith((f"{prefix}+", f"{prefix}-")):
            return _fixed(name.removeprefix(prefix))
    return _named(ZoneInfo(name)) if name in _regions() else None


@lru_cache(1)
def _regions() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory", "ROC"})


def _fixed(text: str) -> Offset | None:
    match = _OFFSET.fullmatch(text)
    if not match:
        return None
    sign, digit, hours, minutes, seconds, minutes2, seconds2 = match.groups()
    parts = [int(part or 0) for part in (digit or hours, minutes or minutes2, seconds or seconds2)]
    total = 3600 * parts[0] + 60 * parts[1] + parts[2]
    if total > _MOST or max(parts[1:]) > 59:
        return None
    east = -total if sign == "-" else total
    return lambda _: east


def _named(zone: ZoneInfo) -> Offset:
    """Of an hour that comes twice the first is meant; one that is left out is an hour later, as in Java."""

    def seconds(local: datetime) -> int:
        offset = local.replace(tzinfo=zone, fold=0).utcoffset()
        assert offset is not None
        return round(offset.total_seconds())

    return seconds

"""Times `20YY-MM-DDTHH:MM:SS` of many lines read at once, without a fraction or of three or six digits."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from pozytywka_spark.ingest.validate.byte_words import (
    Mask,
    Numbers,
    Words,
    byte_of,
    digits_in_form,
    pairs_of,
    word,
)

# Words that hold a time and what is behind it
WORDS = 4
_LONGEST, _WITHOUT, _MILLIS = 26, 19, 23
_QUOTE = ord('"')


def _calendar() -> tuple[Numbers, Numbers]:
    """Of each month from 2000-01 to 2099-12: days since 1970 before it, and days in it."""
    firsts = [date(2000 + n // 12, n % 12 + 1, 1) for n in range(1200)] + [date(2100, 1, 1)]
    before = np.array([(first - date(1970, 1, 1)) // timedelta(days=1) for first in firsts], np.int64)
    return before[:-1], np.diff(before)


_BEFORE, _DAYS = _calendar()


def times_of(words: Words) -> tuple[Numbers, Numbers, Mask]:
    """Of rows of `WORDS` words that begin with a time and a quote behind it: the time's length, microseconds
    since 1970, and whether it is a time. That the quote is there isn't looked at.
    """
    whole = words[:, 2]
    none = (whole & np.uint64(0xFF << 24)) == _QUOTE << 24
    millis = ((whole >> np.uint64(56)) == _QUOTE) & ~none
    # what isn't there is taken for zeros
    rest = np.where(none, (whole & np.uint64(0xFFFFFF)) | (word("   .0000") & ~np.uint64(0xFFFFFF)), whole)
    rest = np.where(millis, (rest & ~np.uint64(0xFF << 56)) | np.uint64(ord("0") << 56), rest)
    last = (words[:, 3] & np.uint64(0xFFFF)) | (word("  000000") & ~np.uint64(0xFFFF))
    last = np.where(none | millis, word("00000000"), last)

    in_form = (("0000-00-", words[:, 0]), ("00T00:00", words[:, 1]), (":00.0000", rest), ("00000000", last))
    digits, wrong = zip(*(digits_in_form(mine, form) for form, mine in in_form), strict=True)
    days, hours, seconds, lasts = map(pairs_of, digits)
    right = (wrong[0] | wrong[1] | wrong[2] | wrong[3]) == 0

    month, day, hour, minute = byte_of(days, 5), byte_of(hours, 0), byte_of(hours, 3), byte_of(hours, 6)
    second = byte_of(seconds, 1)
    right &= (byte_of(days, 0) == 20) & (month >= 1) & (month <= 12)
    right &= (hour < 24) & (minute < 60) & (second < 60)
    number = np.where(right, byte_of(days, 2) * 12 + month - 1, 0)
    right &= (day >= 1) & (day <= _DAYS[number])
    moment = ((_BEFORE[number] + day - 1) * 24 + hour) * 60 + minute
    fraction = (byte_of(seconds, 4) * 100 + byte_of(seconds, 6)) * 100 + byte_of(lasts, 0)
    length = _LONGEST - none * np.int64(_LONGEST - _WITHOUT) - millis * np.int64(_LONGEST - _MILLIS)
    return length, (moment * 60 + second) * 1_000_000 + fraction, right

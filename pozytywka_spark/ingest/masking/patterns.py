"""What names a person whoever they are: e-mail addresses, links, numbers of phones and cards, postcodes.

Every pattern takes time that grows with the text and not faster: repetitions don't give back what they took.
"""

from __future__ import annotations

import re

EMAIL, LINK, CARD, PHONE, NUMBER, POSTCODE = (
    "[email]", "[link]", "[card]", "[phone]", "[number]", "[postcode]",
)  # fmt: skip

_AT = r"(?:@|\s?[(\[{]\s?(?:at|małpa|malpa|arroba)\s?[)\]}]\s?)"
_DOT = r"(?:\.|\s?[(\[{]\s?(?:dot|kropka|ponto)\s?[)\]}]\s?)"
_EMAIL = re.compile(
    rf"(?<![\w.+%'-])[\w.+%'-]++(?:{_AT}[\w-]++(?:{_DOT}[\w-]++)*+|\s@\s?[\w-]++(?:{_DOT}[\w-]++)++)",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"@\w[\w.]*+")
# Of addresses without a scheme; not those that are words, for people forget the blank behind a full stop
_ENDINGS = "biz|br|com|dev|eu|gov|info|io|net|org|pl|pt|ru|uk|xyz"
_LINK = re.compile(
    r"(?:\b[a-z][a-z0-9+-]{1,11}://|\bwww\.)\S++"
    rf"|(?<![\w.-])\w[\w-]*+(?:\.(?!(?:{_ENDINGS})(?![\w-]))[\w-]++)*+"
    rf"\.(?:{_ENDINGS})(?![\w-])(?:\.(?:{_ENDINGS})(?![\w-]))*+(?::\d+)?(?:[/?#]\S*+)?"
    r"|(?<![\w.-])\w[\w-]*+(?:\.[\w-]++)++(?<=[a-z]{2})/\S++",
    re.IGNORECASE,
)
_YEAR, _MONTH, _DAY = "(?:19|20)[0-9]{2}", "(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12][0-9]|3[01])"
_DATES = (
    rf"{_YEAR}(?P<mark>[-./]){_MONTH}(?P=mark){_DAY}",
    rf"{_DAY}(?P<other>[-./]){_MONTH}(?P=other){_YEAR}",
    rf"{_YEAR}\s?[-/–]\s?{_YEAR}",
)
# A date or two years; but not where digits go on, unless a time of day follows
_DATE = rf"(?<!\d)(?:{'|'.join(_DATES)})(?!\d)(?![\s.\-/]{{0,3}}\d+(?!\d*\s?[:hT]))"
_NUMBER = re.compile(rf"(?P<date>{_DATE})|(?P<number>\+?\d(?:[\s().\-–—/·•*_]{{0,3}}\d){{6,}}+)")
_POSTCODE = re.compile(r"(?<![\d-])\d{2}-\d{3}(?![\d-])")
_DIGITS = re.compile(r"\d(?:\D*+\d){4}")
_SHORTEST_CARD, _LONGEST_CARD, _LONGEST_PHONE = 13, 19, 15


def mask_patterns(text: str) -> tuple[str, int]:
    """The text with a word in brackets for each thing that names somebody, and how many there were.

    Any seven digits or more with no more than three blanks or marks between two of them are a number, but for
    dates: of a card if Luhn's sum is right, of a phone if they are fifteen at most.

    >>> mask_patterns("me@x.pl or +48 600-700-800, see www.x.pl; card 4111 1111 1111 1111 since 2023-05-01")
    ('[email] or [phone], see [link] card [card] since 2023-05-01', 4)
    """
    masked = 0
    if "@" in text or "(" in text or "[" in text or "{" in text:
        text, emails = _EMAIL.subn(EMAIL, text)
        text, handles = _HANDLE.subn(LINK, text)
        masked = emails + handles
    if "." in text or "://" in text:
        text, links = _LINK.subn(LINK, text)
        masked += links
    if _DIGITS.search(text):
        numbers = _Numbers()
        text = _NUMBER.sub(numbers, text)
        text, postcodes = _POSTCODE.subn(POSTCODE, text)
        masked += numbers.masked + postcodes
    return text, masked


def is_card(digits: str) -> bool:
    """Whether digits can be a card's number, by Luhn's sum (ISO/IEC 7812-1).

    >>> is_card("4111111111111111"), is_card("4111111111111112")
    (True, False)
    """
    if not _SHORTEST_CARD <= len(digits) <= _LONGEST_CARD or digits.startswith("0"):
        return False
    numbers = [int(digit) for digit in reversed(digits)]
    doubled = (sum(divmod(2 * number, 10)) for number in numbers[1::2])
    return (sum(numbers[::2]) + sum(doubled)) % 10 == 0


class _Numbers:
    """Replaces what `_NUMBER` finds, and counts what was masked."""

    def __init__(self) -> None:
        self.masked = 0

    def __call__(self, match: re.Match[str]) -> str:
        number = match["number"]
        if number is None:
            return match[0]
        self.masked += 1
        digits = "".join(filter(str.isdecimal, number))
        if is_card(digits):
            return CARD
        return PHONE if len(digits) <= _LONGEST_PHONE else NUMBER

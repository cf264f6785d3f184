"""Addresses, numbers and links are masked however they are written; what names nobody stays."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.ingest.masking.patterns import is_card, mask_patterns
from pozytywka_spark.ingest.masking.plain_text import plain_text


def masked(text: str) -> str:
    return mask_patterns(plain_text(text))[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pisz na Jan.Kowalski+x@poczta.wp.pl!", "pisz na [email]!"),
        ("jan@localhost, a@b.co", "[email], [email]"),
        ("jan (at) wp (dot) pl; jan[at]wp.pl; jan(małpa)wp(kropka)pl", "[email]; [email]; [email]"),
        ("jan&#64;wp.pl jan＠wp.pl ja\u200bn@w\u00adp.pl", "[email] [email] [email]"),
        ("ja<b>n</b>@wp.pl", "[email]"),
        ("meet me @ jan.kowalski.pl", "meet [email]"),
        ("napisz do @jan_k_92.", "napisz do [link]"),
        ("https://fb.com/jan.k?x=1 ftp://a.b/c WWW.Jan.example/x", "[link] [link] [link]"),
        ("moja strona: jan-kowalski.com.pl/kontakt, x.de/jan", "moja strona: [link] [link]"),
        ('<a href="http://jan.pl">tu</a> i <img src=x.png>', "tu i"),
        ("600700800; 600 700 800; 600-700-800; (22) 620.70.80", "[phone]; [phone]; [phone]; ([phone]"),
        ("+48 600 700 800 tel:0048600700800", "[phone] tel:[phone]"),
        ("+55 (11) 91234-5678", "[phone]"),
        ("６００７００８００ i ٦٠٠٧٠٠٨٠٠", "[phone] i [phone]"),
        ("6 0 0 7 0 0 8 0 0", "[phone]"),
        ("karta 4111 1111 1111 1111, 378282246310005", "karta [card], [card]"),
        ("konto 61 1090 1014 0000 0712 1981 2874", "konto [number]"),
        ("4111 1111 1111 1112", "[number]"),
        ("ul. Polna, 00-950 Warszawa", "ul. Polna, [postcode] Warszawa"),
        # what names nobody
        ("od 2023-05-01 do 31.12.2024, w 2022/2023", "od 2023-05-01 do 31.12.2024, w 2022/2023"),
        ("2023-01-03 05:14, 2023-01-03T05:14:02", "2023-01-03 05:14, 2023-01-03T05:14:02"),
        ("za 19,99 zamiast 29,99; 10/10; 123456", "za 19,99 zamiast 29,99; 10/10; 123456"),
        ("super.Nie działa.app crashes", "super.Nie działa.app crashes"),
        ("I <3 this & 1 < 2 > 0", "I <3 this & 1 < 2 > 0"),
        ("👍🏽 👩‍👧 świetnie", "👍🏽 👩‍👧 świetnie"),
        ("", ""),
    ],
)
def test_what_is_masked_and_what_is_not(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Za&nbsp;dużo<br/>reklam &amp;amp; nudy</p><!-- x -->", "Za dużo reklam & nudy"),
        ("  ﬁlm\u0000\u0007 \u202eab\u202c ", "film   ab"),
        ("e\u0301", "é"),
        ("k\u200do\u200dt", "kot"),
        ("<<<>>>&&&", "<<<>>>&&&"),
        ("\u200b<b></b>&#8203;", ""),
    ],
)
def test_a_text_is_plain(text: str, expected: str) -> None:
    assert plain_text(text) == expected


_WORD = st.text("abcdefghijklmnoprstuwyząćęłńóśźż", min_size=1, max_size=8)
_AROUND = st.text("ab ,;!?ż\n", max_size=12)


@st.composite
def emails(draw: st.DrawFn) -> str:
    at = draw(st.sampled_from(("@", "＠", " (at) ", "[at]", "&#64;", "<b>@</b>", "\u200b@")))
    local, host = draw(_WORD), ".".join(draw(st.lists(_WORD, min_size=2, max_size=4)))
    return f"{local}{at}{host}"


@st.composite
def numbers(draw: st.DrawFn) -> str:
    digits = draw(st.text("0123456789", min_size=7, max_size=26))
    marks = st.sampled_from(("", " ", "-", ".", " - ", "/", ") ", "\u200b", "\u00a0"))
    return "".join(digit + draw(marks) for digit in digits[:-1]) + digits[-1]


@pytest.mark.thorough
@given(emails(), _AROUND, _AROUND)
def test_no_address_stays(address: str, before: str, after: str) -> None:
    host = plain_text(address).split(".")[-2]
    found = masked(f"{before} {address} {after}")
    assert "@" not in found
    assert "[email]" in found
    assert not re.search(rf"\w{re.escape(host)}\.", found)


@pytest.mark.thorough
@given(numbers(), _AROUND, _AROUND)
def test_of_a_number_no_digits_stay_but_of_dates(number: str, before: str, after: str) -> None:
    found = masked(f"{before} {number} {after}")
    digits = re.sub(r"\D", "", re.sub(r"(19|20)\d\d|\d{1,2}[-./]\d{1,2}", "", found))
    assert len(digits) < 7, found


@given(st.text(max_size=60))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = masked(text)
    assert masked(once) == once
    assert mask_patterns(once) == (once, 0)


@given(st.lists(st.integers(1, 9), min_size=12, max_size=18), st.integers(0, 9))
def test_one_check_digit_of_ten_makes_a_card(digits: list[int], wrong: int) -> None:
    """As ISO/IEC 7812-1 tells it: one last digit is right, and another digit anywhere is found out."""
    cards = [f"{''.join(map(str, digits))}{last}" for last in range(10)]
    (card,) = (one for one in cards if is_card(one))
    for place, digit in enumerate(card):
        changed = f"{card[:place]}{wrong}{card[place + 1 :]}"
        assert is_card(changed) == (str(wrong) == digit), place
    assert mask_patterns(f"x {card} y") == ("x [card] y", 1)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "piece",
    ["a", "1 ", "@", "a@", "<", "&lt;", "a.", "([at]", "<b", "<!--", "1-", "+", "ą", "a\u200d", "www."],
)
def test_a_hundred_kilobytes_of_malice_takes_time_in_proportion(piece: str) -> None:
    """No clock: what would take its square wouldn't end."""
    assert mask_patterns(plain_text(piece * (100_000 // len(piece))))


def test_counts_are_those_of_masks() -> None:
    text, number = mask_patterns("a@b.pl 600700800, 00-950 www.x.pl @jan 4111111111111111")
    assert (text.count("["), number) == (6, 6)
    assert [one for one, other in pairwise(text.split()) if one == other] == ["[link]"]

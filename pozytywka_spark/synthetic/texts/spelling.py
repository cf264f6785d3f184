"""How people spell: without diacritics, in capitals or none, with slips of the finger and pictures."""

from __future__ import annotations

from dataclasses import dataclass

from pozytywka_spark.synthetic.texts.grammar import Dice
from pozytywka_spark.synthetic.texts.personal import plain

_EMOJI = (("😡", "👎", "😞", "🙄", "😤"), ("🤔", "😐", "🙂"), ("😀", "👍", "❤️", "🎵", "🙏", "😍"))
_SLIPS = 0.2  # share of texts with slips of the finger
_SLIP = 0.3  # of their sentences


@dataclass(frozen=True)
class Style:
    """Of a text."""

    case: str  # as it should be, "lower" or "upper"
    bare: bool
    careless: bool  # with punctuation
    slips: bool


@dataclass(frozen=True)
class Line:
    """A sentence as it is sent, and what was planted as it stands there."""

    text: str
    planted: list[str]


def style_of(dice: Dice, *, bare: bool) -> Style:
    """Draw one."""
    drawn = dice()
    case = "lower" if drawn < 0.3 else "upper" if drawn < 0.33 else ""
    return Style(case, bare, careless=case != "" or dice() < 0.2, slips=dice() < _SLIPS)


def emoji_for(mood: int, dice: Dice) -> str:
    """One to three times a picture."""
    return dice.pick(_EMOJI[mood]) * dice.whole(1, 4)


def spelt(pieces: list[str], style: Style, dice: Dice, *, end: str) -> Line:
    """The pieces in this style; no finger slips in those planted, which stand at odd places."""
    done = []
    for place, piece in enumerate(pieces):
        own = place % 2 == 1
        text = plain(piece) if style.bare else piece
        text = text.upper() if style.case == "upper" else text.lower() if style.case == "lower" else text
        if not own and style.slips and dice() < _SLIP:
            text = _slip(text, dice)
        done.append(text)
    if style.case == "" and done[0]:
        done[0] = done[0][0].upper() + done[0][1:]
    return Line("".join(done) + end, done[1::2])


def _slip(text: str, dice: Dice) -> str:
    """Two letters swapped, one lost or doubled."""
    if len(text) < 5:
        return text
    at = dice.whole(1, len(text) - 2)
    if " " in text[at : at + 2]:
        return text
    how = dice()
    if how < 0.4:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if how < 0.75 else text[:at] + text[at] + text[at:]

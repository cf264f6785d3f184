"""From a mood and a subject to a text: sentences of the grammar, put together and spelt as people do."""

from __future__ import annotations

from dataclasses import dataclass, field

from pozytywka_spark.synthetic.texts.grammar import Dice, Grammar, Sentence, grammar_of
from pozytywka_spark.synthetic.texts.personal import Person, value_of
from pozytywka_spark.synthetic.texts.spelling import Style, emoji_for, spelt, style_of

# chances by channel: a greeting, a word of how they feel, a farewell, one more sentence on the subject
_HABITS = {
    "nps": (0.1, 0.95, 0.05, 0.2),
    "support": (0.7, 0.4, 0.6, 0.4),
    "comment": (0.1, 0.7, 0.05, 0.3),
}
_VAGUE = 0.06  # share of texts, but for praise, that don't come to their subject
_BRIEF = 0.1  # share of praise that is nothing but a word of how they feel
_SLIP = 0.01  # share of texts that sound as those of another mood do
_SLY = 0.2  # share of spam that looks like what others write
_MOODS = ("negative", "neutral", "positive")
_PERSONAL = (("name", 0.3), ("street", 0.15), ("email", 0.2), ("phone", 0.15), ("card", 0.1), ("link", 0.1))
_KIND_OF = {
    "NAME": "name", "NAME_OF": "name", "STREET": "street", "STREET_OF": "street", "EMAIL": "email",
    "PHONE": "phone", "CARD": "card", "LINK": "link", "URL": "link",
}  # fmt: skip


@dataclass
class Text:
    """A text in the making. `planted`: what has to be masked, as it stands there: kind, text, bent or not."""

    sentences: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    planted: list[tuple[str, str, bool]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is sent."""
        return " ".join(self.sentences)


@dataclass(frozen=True)
class Writer:
    """Somebody who writes: their language, which part of the sentences they use, and how they spell."""

    person: Person
    language: str
    part: str  # all, train or test
    bare: bool  # leaves diacritics out

    @property
    def grammar(self) -> Grammar:
        """Of their language."""
        return grammar_of(self.language)


def written(
    writer: Writer,
    dice: Dice,
    *,
    channel: str,
    mood: int,
    topic: tuple[str, str],
    second: tuple[str, str] | None,
    personal: float,
) -> Text:
    """A text about `topic`, with something personal at the chance `personal`."""
    greets, feels, closes, more = _HABITS[channel]
    style = style_of(dice, bare=writer.bare)
    subjects = [topic] * (1 + (dice() < more))
    if topic[0] != "praise" and dice() < _VAGUE:
        subjects = [("vague", "all")]
    elif topic[0] == "praise" and dice() < _BRIEF:
        subjects, feels = [], 1.0
    if second:
        subjects.append(second)
    sounds = dice.whole(0, 3) if dice() < _SLIP else mood
    feeling = [("feelings", _MOODS[sounds])] if dice() < feels else []
    body = feeling + subjects if dice() < 0.3 else subjects + feeling
    if dice() < personal:
        body.insert(dice.whole(0, len(body) + 1), ("personal", _kind(dice)))
    if dice() < greets:
        body.insert(0, ("openings", "all"))
    if dice() < closes:
        body.append(("closings", "all"))
    text = _put_together(writer, dice, style, body)
    if dice() < 0.12:
        text.sentences.append(emoji_for(sounds, dice))
    return text


def spam(writer: Writer, dice: Dice) -> Text:
    """Somebody wants to sell something."""
    style = style_of(dice, bare=writer.bare)
    body = [("spam", "sly" if dice() < _SLY else "all")]
    if dice() < 0.2:
        body.insert(0, ("feelings", "positive"))
    if dice() < 0.2:
        body.insert(0, ("openings", "all"))
    return _put_together(writer, dice, style, body)


def _kind(dice: Dice) -> str:
    drawn = dice()
    for kind, share in _PERSONAL:
        drawn -= share
        if drawn < 0:
            return kind
    return _PERSONAL[-1][0]


def _put_together(writer: Writer, dice: Dice, style: Style, body: list[tuple[str, str]]) -> Text:
    text = Text()
    for section, name in body:
        choice = writer.grammar.sentences[section, name, writer.part]
        sentence = dice.pick(choice)
        if sentence.id in text.templates:  # twice on a subject is never twice the same
            sentence = choice[(choice.index(sentence) + 1) % len(choice)]
        text.templates.append(sentence.id)
        filled, planted = _filled(sentence, writer, dice)
        if section in ("openings", "closings"):
            line = spelt(filled, style, dice, end=dice.pick((",", ".", "", "!")))
        else:
            line = spelt(filled, style, dice, end=_end(sentence, style, dice))
        text.sentences.append(line.text)
        text.planted += [
            (kind, as_is, bent) for (kind, _, bent), as_is in zip(planted, line.planted, strict=True)
        ]
    return text


def _end(sentence: Sentence, style: Style, dice: Dice) -> str:
    if sentence.asks:
        return "?" if not style.careless or dice() < 0.6 else ""
    return (
        dice.pick((".", ".", ".", "!", "...", "")) if style.careless else dice.pick((".", ".", ".", ".", "!"))
    )


def _filled(sentence: Sentence, writer: Writer, dice: Dice) -> tuple[list[str], list[tuple[str, str, bool]]]:
    """The sentence's pieces, and what was planted: kind, text, bent; planted pieces stand at odd places."""
    pieces, planted = [""], []
    for place, part in enumerate(sentence.parts):
        if place % 2 == 0:
            pieces[-1] += part
        elif part in _KIND_OF:
            value = value_of(part, writer.person, dice)
            planted.append((_KIND_OF[part], value, part.endswith("_OF")))
            pieces += [value, ""]
        elif part == "CITY":
            pieces[-1] += writer.person.city
        else:
            pieces[-1] += dice.pick(writer.grammar.words[part])
    return pieces, planted

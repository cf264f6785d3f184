"""Sentences by language and subject, from the files beside; a text is made of some of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TypeVar

from pozytywka_spark.synthetic.plan import Rng

SUBJECTS = {
    "payment": ("price", "refund", "card"),
    "adverts": ("too_many", "same", "loud"),
    "catalogue": ("missing", "wrong", "gone"),
    "playback": ("crash", "sound", "stops"),
    "account": ("login", "data", "change"),
    "praise": ("thanks", "discovery", "everyday"),
}
TOPICS = tuple((queue, topic) for queue, topics in SUBJECTS.items() for topic in topics)
TEST_EVERY = 3  # every third sentence of a list is for texts to be tested with
_SLOT = re.compile(r"\{(\w+)\}")
_MANY = 4096
T = TypeVar("T")


@dataclass(frozen=True)
class Sentence:
    """`parts` are words and, at odd places, names of words to be filled in."""

    id: str
    parts: tuple[str, ...]
    asks: bool


@dataclass(frozen=True)
class Grammar:
    """`sentences`: by section, name and part (`all`, `train`, `test`) those to choose from."""

    words: dict[str, tuple[str, ...]]
    sentences: dict[tuple[str, str, str], tuple[Sentence, ...]]


class Dice:
    """Random choices one after another."""

    def __init__(self, rng: Rng) -> None:
        self._numbers = _numbers(rng)

    def __call__(self) -> float:
        """In [0, 1)."""
        return next(self._numbers)

    def pick(self, values: tuple[T, ...]) -> T:
        """One of them, each as likely."""
        return values[int(next(self._numbers) * len(values))]

    def whole(self, low: int, high: int) -> int:
        """In [low, high)."""
        return low + int(next(self._numbers) * (high - low))


def _numbers(rng: Rng) -> Iterator[float]:
    while True:
        yield from rng.random(_MANY).tolist()


@lru_cache(maxsize=8)
def grammar_of(language: str) -> Grammar:
    """That of the language, one of `Texts.languages`."""
    text = files(__package__).joinpath("templates", f"{language}.toml").read_text(encoding="utf-8")
    sections = tomllib.loads(text)
    words = {name: tuple(values) for name, values in sections.pop("words").items()}
    asking = tuple(f"{word} " for word in sections.pop("asking")["all"])
    sentences = {}
    for section, lists in sections.items():
        for name, texts in lists.items():
            every = tuple(
                Sentence(
                    f"{language}.{section}.{name}.{number}", tuple(_SLOT.split(each)), each.startswith(asking)
                )
                for number, each in enumerate(texts)
            )
            test = every[TEST_EVERY - 1 :: TEST_EVERY]
            sentences[section, name, "all"] = every
            sentences[section, name, "test"] = test
            sentences[section, name, "train"] = tuple(each for each in every if each not in test)
    return Grammar(words, sentences)

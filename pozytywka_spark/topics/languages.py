"""The language of titles: by script where only one language writes it, else by letters (py3langid).

The classifier chooses among the languages that a service expects and others that catalogues have too: given
the expected ones alone, it answers half of those who sing in none of them. Where one of the others wins, or
none is likely enough, there is no answer. Its probabilities are tempered by the length of the text (softmax
over log-likelihoods by the root of the bytes), so that many titles in one text are surer than one, and aren't
sure of everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pozytywka_spark.extras.language_identifier import identifier_of, known_languages
from pozytywka_spark.topics.titles import ONE_LANGUAGE, script_of, song_of, songs_of

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Written on labels of music often enough to be taken for another; not near twins of an expected one (Malay of
# Indonesian, Galician of Portuguese), which would only keep that from being told
_OTHERS = frozenset(
    {"ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id"}
    | {"is", "it", "ja", "ko", "lt", "lv", "nb", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv"}
    | {"th", "tl", "tr", "uk", "vi", "zh"}
)
# An artist's titles in other scripts than Latin count alone from this share on: who sings in Japanese has
# English titles beside, not the other way round
_FOREIGN_TITLES = 0.25


@dataclass(frozen=True)
class Language:
    """`language`: an ISO 639-1 code, None if unsure; `confidence` (0 to 1) of it, None likewise; `titles`:
    how many songs it was told from.
    """

    language: str | None
    confidence: float | None
    titles: int


@dataclass(frozen=True)
class Asked:
    """Which languages are expected, and how likely one must be to be answered."""

    expected: tuple[str, ...]
    confidence: float

    def of_artist(self, titles: Sequence[str | None]) -> Language:
        """The language of an artist by all titles together."""
        songs = songs_of(titles)
        scripts = Counter(script_of(song) for song in songs)
        foreign = len(songs) - scripts["latin"]
        if foreign and foreign >= _FOREIGN_TITLES * len(songs):
            songs = [song for song in songs if script_of(song) != "latin"]
            del scripts["latin"]
            # kanji alone are Japanese where kana stand in a quarter of the others' place
            if scripts["kana"] and scripts["kana"] >= _FOREIGN_TITLES * len(songs):
                scripts["kana"] += scripts.pop("han", 0)
            name, count = max(scripts.items(), key=lambda item: (item[1], item[0]))
            if name in ONE_LANGUAGE:
                return self._answer(ONE_LANGUAGE[name], count / len(songs), len(songs))
        return self._by_letters(" \n ".join(songs), len(songs))

    def of_title(self, title: str | None) -> Language:
        """The language of a track by its own title."""
        song = song_of(title or "")
        script = script_of(song) if song else ""
        if script in ONE_LANGUAGE:
            return self._answer(ONE_LANGUAGE[script], 1.0, 1)
        return self._by_letters(song, 1 if song else 0)

    def _by_letters(self, text: str, titles: int) -> Language:
        if not text:
            return Language(None, None, 0)
        language, probability = _identifier(self.expected).classify(text)
        return self._answer(language, float(probability), titles)

    def _answer(self, language: str, confidence: float, titles: int) -> Language:
        if language not in self.expected or confidence < self.confidence:
            return Language(None, None, titles)
        return Language(language, confidence, titles)


def unknown_languages(expected: Sequence[str]) -> list[str]:
    """Those that neither the classifier nor a script knows."""
    known = {*known_languages(), *ONE_LANGUAGE.values()}
    return [code for code in expected if code not in known]


@lru_cache(maxsize=4)
def _identifier(expected: tuple[str, ...]) -> LanguageIdentifier:
    return identifier_of(({*expected} | _OTHERS) & known_languages(), probabilities=True)

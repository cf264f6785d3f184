"""The language of texts, by py3langid: of those that a service expects the likeliest, or none."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from pozytywka_spark.extras.language_identifier import identifier_of, known_languages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from py3langid.langid import LanguageIdentifier

MOST_LETTERS = 300  # are enough, and a text of a megabyte takes no longer


def languages_of(texts: pl.Series, expected: Sequence[str]) -> pl.Series:
    """The language of each text, null of one without two letters in a row, and of null."""
    cleaned = pl.DataFrame({"text": texts}).select(
        pl.col("text")
        .fill_null("")
        .str.slice(0, MOST_LETTERS)
        .str.to_lowercase()
        .str.replace_all(r"\[[a-z ]+\]|[^\p{L}\p{M}'’]+", " ")
        .str.strip_chars()
    )
    identifier = _identifier(tuple(expected))
    told = [
        identifier.classify(text)[0] if any(len(word) > 1 for word in text.split(" ")) else None
        for text in cleaned.get_column("text").to_list()
    ]
    return pl.Series("language", told, pl.String)


def unknown_languages(expected: Sequence[str]) -> list[str]:
    """Those that the classifier doesn't know."""
    known = known_languages()
    return [code for code in expected if code not in known]


@lru_cache(maxsize=4)
def _identifier(expected: tuple[str, ...]) -> LanguageIdentifier:
    return identifier_of(expected, probabilities=False)

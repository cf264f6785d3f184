"""The language of a text among some, by py3langid of the extra `topics`; imported where it is used."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier


def identifier_of(languages: Collection[str], *, probabilities: bool) -> LanguageIdentifier:
    """One that chooses among these languages; those that it doesn't know must not be among them.

    `probabilities`: whether its `classify` tells how likely a language is, or a plain score.
    """
    found = copy(_loaded(probabilities=probabilities))
    found.set_languages(set(languages))
    return found


def known_languages() -> frozenset[str]:
    """The ISO 639-1 codes of all languages that it can tell."""
    return frozenset(_loaded(probabilities=False).labels)


@cache
def _loaded(*, probabilities: bool) -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # a third of a second, 5 MB

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=probabilities)

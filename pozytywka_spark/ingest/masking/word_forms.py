"""Words of names and streets, and the forms in which people write them: what makes two words the same.

Polish inflects names: "Kowalskiego", "Magdzie", "Marka", "na Długiej". A word is therefore known by its
stems: what is left once the ending of a case is taken off, without diacritics, in one case of letters.
Where an ending softens the consonant before it (Olga, Oldze; Monika, Monice; Agata, Agacie), the stems of
both agree in a second form. Too much is taken for a name rather than too little: "marka" may be Marek's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# One word; what is masked already stands in brackets and is no word
WORD = re.compile(
    r"\[(?:card|email|link|name|number|phone|postcode|street)\]|(?P<word>[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*)"
)
# Parts of names and of streets that name nobody
_NOBODY = frozenset((
    "al", "aleja", "aleje", "alameda", "and", "av", "ave", "avenida", "avenue", "blvd", "calle", "close",
    "court", "da", "das", "de", "del", "den", "der", "di", "do", "dos", "dr", "drive", "du", "el", "estrada",
    "jr", "la", "lane", "largo", "le", "los", "mr", "mrs", "ms", "na", "of", "os", "osiedle", "pan", "pani",
    "pl", "plac", "place", "pod", "praca", "przy", "rd", "road", "rondo", "rua", "skwer", "square",
    "sq", "sr", "st", "str", "street", "te", "the", "travessa", "ul", "ulica", "van", "von", "way", "ze",
))  # fmt: skip
_UNDECOMPOSED = str.maketrans("łøđħıæœ", "lodhiao")
_ENDINGS = (
    "iowi", "iego", "iemu", "iach", "iami", "owie", "owej", "iow", "iej", "ego", "emu", "ych", "ich", "ymi",
    "imi", "ach", "ami", "owi", "iem", "iom", "ow", "em", "ym", "im", "ej", "om", "ie", "ia", "iu", "io",
    "ii", "a", "y", "i", "e", "o", "u", "s",
)  # fmt: skip
_SOFTENING = frozenset(("ie", "e", "y", "i"))
# Softened by an ending: the last letters of both stems become one
_SOFT = (("rz", "r"), ("dz", "d"), ("g", "d"), ("c", "t"), ("k", "t"))
_FLEETING = re.compile("(?<=[b-df-hj-np-tvwxz])i?e(?=[cklmnr]$)")
_VOWEL_JA = re.compile("[aeiouy]ja$")
_SHORTEST, _SHORT = 3, 2
_CACHED = 100_000


def folded(word: str) -> str:
    """The word in small letters without diacritics: `folded("ŁÓDŹ") == "lodz"`."""
    lower = word.casefold()
    if lower.isascii():
        return lower
    apart = unicodedata.normalize("NFKD", lower.translate(_UNDECOMPOSED))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


@lru_cache(_CACHED)
def stems_of_name(word: str) -> frozenset[str]:
    """By what a name's or a street's word is known in texts; nothing of one that names nobody."""
    if len(word) < _SHORT or folded(word) in _NOBODY:
        return frozenset()
    stems = {stem for form in _forms(word.casefold()) for stem in _stems(folded(form), _SHORT)}
    return frozenset((*stems, *map(_softened, stems)))


@lru_cache(_CACHED)
def stems_in_text(word: str) -> frozenset[str]:
    """By what a word of a text may be known as a name's.

    A stem of two letters counts only if the word is written as names are: "Ewy", not "ale".
    """
    shortest = _SHORT if word[:1].isupper() else _SHORTEST
    word = folded(word)
    stems = _stems(word, shortest)
    softened = {
        _softened(_hardened(word[: -len(ending)]))
        for ending in _SOFTENING
        if word.endswith(ending) and len(word) - len(ending) >= shortest
    }
    return frozenset((*stems, *softened))


def _forms(word: str) -> Iterator[str]:
    """A word, and forms that its stem doesn't tell: Żołądź, Żołędzia; Maja, Mai; Iga, igi."""
    yield word
    for vowel, other in (("ą", "ę"), ("ę", "ą")):
        before, found, after = word.rpartition(vowel)
        if found:
            yield f"{before}{other}{after}"
    if _VOWEL_JA.search(word):
        yield f"{word[:-2]}i"
    if len(word) == _SHORT + 1 and word.endswith("a"):  # in small letters too, where stems of two don't count
        yield from (f"{word[:-1]}{ending}" for ending in ("y", "i", "ie"))


def _stems(word: str, shortest: int) -> set[str]:
    """The word, and what is left of it without each ending that it has."""
    left = (word[: -len(ending)] for ending in _ENDINGS if word.endswith(ending))
    return {_hardened(stem) for stem in (word, *left) if stem == word or len(stem) >= shortest}


def _hardened(stem: str) -> str:
    """Without the e that comes and goes: Marek, Marka; Maciek, Maćka; Grzebień, Grzebnia."""
    return _FLEETING.sub("", stem)


def _softened(stem: str) -> str:
    """The second form, marked, in which stems that differ by their last consonant's softness agree."""
    for letters, instead in _SOFT:
        if stem.endswith(letters):
            return f"~{stem.removesuffix(letters)}{instead}"
    return f"~{stem}"

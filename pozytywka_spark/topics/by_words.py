"""The group of a genre by the words of its name, for those that never stand beside another.

Naive Bayes over words: each known genre counts once for each of its words, and a word says of groups what
its genres are, drawn to how large groups are. A name of words that no known genre has says nothing.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_WORDS = re.compile(r"[^\W_]+(?:&[^\W_]+)?")
_DRAWN = 1.0  # genres of no word in particular that each word's are mixed with


def words_of(genre: str) -> tuple[str, ...]:
    """Words of a name, each once, in their order.

    >>> words_of("Post-Punk argentina, punk")
    ('post', 'punk', 'argentina')
    """
    return tuple(dict.fromkeys(_WORDS.findall(unicodedata.normalize("NFKC", genre).casefold())))


@dataclass(frozen=True)
class Words:
    """`shares`: each group's share of known genres; `counts`: by word, genres by group."""

    shares: Mapping[str, float]
    counts: Mapping[str, Mapping[str, int]]

    def group_of(
        self, genre: str, *, among: Iterable[str] | None = None, without: str | None = None
    ) -> tuple[str, float] | None:
        """The likeliest group and how likely (0 to 1); None if no word is known.

        `among`: of these groups only. `without`: as if the genre itself, of that group, weren't known.
        """
        known = [counts for word in words_of(genre) if (counts := self._other(word, without))]
        groups = [group for group in (self.shares if among is None else among) if group in self.shares]
        if not known or not groups:
            return None
        logs = {}
        for group in groups:
            share = self.shares[group]
            logs[group] = math.log(share) + sum(
                math.log((counts.get(group, 0) + _DRAWN * share) / ((sum(counts.values()) + _DRAWN) * share))
                for counts in known
            )
        best = min(groups, key=lambda group: (-logs[group], group))
        return best, 1 / sum(math.exp(value - logs[best]) for value in logs.values())

    def _other(self, word: str, without: str | None) -> Mapping[str, int]:
        counts = self.counts.get(word, {})
        if without is None:
            return counts
        left = {group: count - (group == without) for group, count in counts.items()}
        return {group: count for group, count in left.items() if count}


def learn_words(groups: Mapping[str, str]) -> Words:
    """From known genres and their groups."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for genre, group in groups.items():
        for word in words_of(genre):
            counts[word][group] += 1
    sizes = Counter(groups.values())
    return Words({group: size / len(groups) for group, size in sorted(sizes.items())}, counts)

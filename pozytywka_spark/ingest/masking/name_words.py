"""Users' own names and streets in their texts: found by salted hashes of words, for the lake holds no names.

`name_words` has for each user the hashes of their words' stems; a text's words are hashed alike and looked
up. A hash is nine bytes: one that says whether the word is of a name or of a street, and eight of BLAKE2b
(RFC 7693) of the stem, with the lake's salt as its key. Without the salt nobody can tell a word from it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from pozytywka_spark.ingest.masking.plain_text import plain_text
from pozytywka_spark.ingest.masking.word_forms import WORD, stems_in_text, stems_of_name
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import NAME_WORDS

NAME, STREET = b"n", b"s"
_MASKS = {NAME: "[name]", STREET: "[street]"}
# The number of a house or a flat behind its street: "[street] 12/3", "[street] 5A m. 7"
_HOUSE = re.compile(
    r"\[street\](?:,?\s{1,3}(?:n[ro]?º?\.?\s?)?\d{1,4}[A-Za-z]?(?!\w)(?:\s?(?:/|m\.?|lok\.?|apt?\.?)\s?\d{1,4}(?!\w))?)"
)
_BYTES = 8
_CACHED = 200_000
# Of one user: which of both kinds a hash is of
Words = Mapping[bytes, bytes]


@dataclass(frozen=True)
class KnownNames:
    """The salt, and where the words of users are that the lake knows: files of `name_words` and parcels."""

    salt: bytes
    files: tuple[DataFile | Parcel, ...] = ()

    def mask(self, rows: pl.DataFrame, files: TaskFiles) -> pl.DataFrame:
        """Rows (`user_id`, `text`, `masked` and others) with their users' names and streets masked.

        `masked` grows by what was masked.
        """
        return self.mask_by(rows, self.words_of(rows, files))

    def mask_by(self, rows: pl.DataFrame, words: Mapping[int, Words]) -> pl.DataFrame:
        """As `mask`, by the `words_of` these rows."""
        if not words:
            return rows
        texts: list[str | None] = []
        counts: list[int] = []
        for user, text, masked in rows.select("user_id", "text", "masked").iter_rows():
            mine = words.get(user)
            new, number = (text, 0) if mine is None or text is None else mask_words(text, mine, self.salt)
            texts.append(new)
            counts.append((masked or 0) + number)
        return rows.with_columns(pl.Series("text", texts, pl.String), pl.Series("masked", counts, pl.Int32))

    def words_of(self, rows: pl.DataFrame, files: TaskFiles) -> dict[int, Words]:
        """The words of these rows' users, of those who are known."""
        users = rows.filter(pl.col("text").is_not_null()).select("user_id").unique()
        if not users.height or not self.files:
            return {}
        frames = (files.read([file], NAME_WORDS.columns) for file in self.files)
        mine = pl.concat([frame.join(users, on="user_id", how="semi") for frame in frames])
        by_user = mine.group_by("user_id").agg("word")
        return {user: {word[1:]: word[:1] for word in words} for user, words in by_user.iter_rows()}


def nameless(rows: pl.DataFrame, words: Mapping[int, Words]) -> dict[int, int]:
    """By `source` how many rows have a text of a user who isn't known: their name may stand in it."""
    known = pl.Series("user_id", list(words), pl.Int64).implode()
    mine = rows.filter(pl.col("text").is_not_null() & ~pl.col("user_id").is_in(known))
    return dict(mine.group_by("source").len().iter_rows())


def mask_words(text: str, words: Words, salt: bytes) -> tuple[str, int]:
    """The text without these words, in whichever form it has them; how many there were."""
    masked, mine = 0, words.keys()

    def mask(match: re.Match[str]) -> str:
        nonlocal masked
        word = match["word"]
        if word is None:
            return match[0]
        hashes = hashes_in_text(word, salt)
        if mine.isdisjoint(hashes):  # nearly always
            return match[0]
        masked += 1
        return _MASKS[next(words[each] for each in hashes if each in words)]

    new = WORD.sub(mask, text)
    if not masked:
        return text, 0
    return _HOUSE.sub(_MASKS[STREET], new), masked


def words_of(name: str | None, street: str | None, salt: bytes) -> Iterator[bytes]:
    """What `name_words` holds of a user's name and street; a word of both is one of the name."""
    told: set[bytes] = set()
    for kind, text in ((NAME, name), (STREET, street)):
        for match in WORD.finditer(plain_text(text or "")):
            for stem in stems_of_name(match["word"] or ""):
                hashed = hash_of(stem, salt)
                if hashed not in told:
                    told.add(hashed)
                    yield kind + hashed


@lru_cache(_CACHED)
def hashes_in_text(word: str, salt: bytes) -> Sequence[bytes]:
    """The hashes that a word of a text may be known by."""
    return tuple(hash_of(stem, salt) for stem in sorted(stems_in_text(word)))


def hash_of(stem: str, salt: bytes) -> bytes:
    """Eight bytes of a stem."""
    return hashlib.blake2b(stem.encode(), digest_size=_BYTES, key=salt).digest()

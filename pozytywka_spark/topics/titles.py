"""What of a title is worth asking for its language, and what its script says of it. Plain text, no model."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

MOST_CHARACTERS = 300  # of a title; more says nothing more, and some are a megabyte
MOST_TITLES = 300  # of an artist, drawn by hash

# What marks a version rather than the song, in the languages of catalogues
_MARK = (
    r"(?:remaster\w*|remix\w*|re-?mix\w*|mix|edit|mono|stereo|demo|bonus|live|unplugged|acoustic|ac[uú]stic[oa]|"
    r"instrumental|karaoke|ao vivo|en vivo|en directo|en public|dal vivo|na żywo|canlı|feat|ft|featuring|"
    r"versions?|versi[oó]n|vers[aã]o|versione|wersja|ver|takes?|session|sessions|soundtrack|score|ost|radio|"
    r"single|album|extended|original|from|intro|outro|interlude|reprise|medley|dub|pt|part|(?:19|20)\d\d)"
)
_BRACKETS = re.compile(rf"\s*[(\[（【][^)\]）】]*(?<!\w){_MARK}(?!\w)[^)\]）】]*[)\]）】]", re.IGNORECASE)
_TAIL = re.compile(rf"\s+[-–—/]\s+[^-–—]*(?<!\w){_MARK}(?!\w).*$", re.IGNORECASE)
_GUEST = re.compile(r"\s+[(\[]?(?:feat|ft|featuring)\b\.?\s.*$", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]{1,80}>|&(?:[a-z]+|#\d+);", re.IGNORECASE)

# Scripts that one language writes, or that leave a few
_SCRIPTS = {
    "hangul": re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    "kana": re.compile(r"[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f]"),
    "greek": re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]"),
    "hebrew": re.compile(r"[\u0590-\u05ff]"),
    "thai": re.compile(r"[\u0e00-\u0e7f]"),
    "georgian": re.compile(r"[\u10a0-\u10ff]"),
    "armenian": re.compile(r"[\u0530-\u058f]"),
    "han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
}
ONE_LANGUAGE = {
    "hangul": "ko",
    "kana": "ja",
    "greek": "el",
    "hebrew": "he",
    "thai": "th",
    "georgian": "ka",
    "armenian": "hy",
}
_FOREIGN = 0.3  # of a title's letters: it is in that script, whatever Latin words stand beside
_LATIN = re.compile(r"[^\W\d_\u0250-\U0010ffff]")
_LETTER = re.compile(r"[^\W\d_]")


def song_of(title: str) -> str:
    """The song's own words in lower case: no version, guest or markup; empty if it has no letter.

    >>> [song_of(text) for text in ("Care - 2005 Remaster", "Chega (Ao Vivo)", "Hej (feat. Ola)", "1999")]
    ['care', 'chega', 'hej', '']
    """
    text = _TAGS.sub(" ", title[:MOST_CHARACTERS])
    for pattern in (_BRACKETS, _TAIL, _GUEST):
        text = pattern.sub("", text)
    text = " ".join(text.split()).strip(" -–—/").lower()
    return text if _LETTER.search(text) else ""


def songs_of(titles: Iterable[str | None]) -> list[str]:
    """Songs of titles, each once, at most so many, in an order that depends on none but their texts."""
    songs = {song for title in titles if title and (song := song_of(title))}
    return sorted(songs, key=lambda song: (zlib.crc32(song.encode("utf-8", "surrogatepass")), song))[
        :MOST_TITLES
    ]


def script_of(song: str) -> str:
    """`latin`, one of the scripts of `ONE_LANGUAGE`, `han`, or `another`; kana beside Han is kana.

    >>> [script_of(text) for text in ("deszcz", "バラ色の日々", "人生", "дождь", "the 夏")]
    ['latin', 'kana', 'han', 'another', 'latin']
    """
    letters = len(_LETTER.findall(song))
    latin = len(_LATIN.findall(song))
    if letters - latin < _FOREIGN * letters:
        return "latin"
    counts = {name: len(pattern.findall(song)) for name, pattern in _SCRIPTS.items()}
    if counts["kana"]:
        return "kana"
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else "another"

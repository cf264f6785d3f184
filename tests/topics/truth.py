"""In which language an artist sings who has genres of certain names: the truth that languages are judged by.

A genre counts by the first line that its name matches. Styles that are sung in English wherever they come
from, or not at all, name no language; an artist with genres of two languages, or with one of such a style,
is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

ANYWHERE = re.compile(
    r"metal|techno|trance|house|edm|dance|disco|jazz|hardcore|punk|instrumental|soundtrack|classical|orchestra|"
    r"electro|synth|progressive|prog|psych|krautrock|bossa|k-pop|indie|new wave|thrash|ambient|worship|"
    r"piano|violin|score|industrial|neue|rave|idm|dub|ebm|choir|opera|baroque|blues|surf|reggae|guitar|"
    r"alternative|ccm|stoner|experimental|hard rock|cumbia"
)
NAMES = {
    "pl": r"^polish|disco polo|poezja spiewana",
    "tr": r"turkish|arabesk|anadolu|kapak|turk ",
    "pt": r"brazilian|brasileir|\bmpb\b|sertanejo|pagode|samba|carioca|forro|bossa nova|portuguese|fado|"
    r"axe\b|velha guarda|tuga|antigas brasil",
    "fr": r"french|chanson|francoton|francais|quebecois|urbaine|ye ye",
    "hu": r"hungarian|magyar",
    "id": r"indonesian|dangdut|\bindo\b|malaysian|melayu",
    "es": r"mexican|ranchera|corrido|norteno|mariachi|argentin|rock nacional|cumbia|bolero|cantautor|"
    r"espanol|flamenco|spanish|chilen|tango|salsa|vallenato|grupera|tejano|bachata|nueva cancion|nueva trova|"
    r"tropical|latin pop|peruan|folklore|uruguay|colombian|dominican|reggaeton",
    "de": r"german|hoerspiel|schlager|volksmusik|liedermacher|austropop|deutsch",
    "en": r"brill building|country$|nashville|british invasion|motown|doo-wop|outlaw|merseybeat|"
    r"rhythm and blues|appalachian|bluegrass|southern hip hop|east coast hip hop|adult standards",
    "it": r"italian|italo|canzone|napoletan|d.autore",
    "ja": r"j-pop|j-rock|japanese|anime|kayokyoku|shibuya|j-poprock",
    "ko": r"k-pop|korean",
    "zh": r"mandopop|cantopop|c-pop|taiwan|chinese",
    "ru": r"russian|bard",
    "el": r"greek|laiko|rebetiko|entehno",
    # none that a service expects by default
    "unexpected": r"swedish|finnish|suomi|iskelma|danish|dansk|norwegian|norsk|dutch|nederpop|levenslied|"
    r"icelandic|czech|slovak|romanian|israeli|thai|filmi|bollywood|opm|pinoy|latvian|lithuanian|estonian|"
    r"croatian|serbian|bulgarian|arab|desi|sufi|afrikaans|catalan|vietnam",
}


def language_of(genres: Sequence[str]) -> str | None:
    """The language that genres name, or `unexpected`; None where they name none or several."""
    named = {_named(genre) for genre in genres} - {None}
    only = named.pop() if len(named) == 1 else None
    return None if only == "anywhere" else only


def _named(genre: str) -> str | None:
    found = next((code for code, pattern in NAMES.items() if re.search(pattern, genre)), None)
    return "anywhere" if found and ANYWHERE.search(genre) else found

"""The rules of a page, and the order in which they give way where the candidates can't satisfy them."""

from __future__ import annotations

from dataclasses import dataclass

ARTIST_APART = 4  # of so many neighbouring places an artist has one
ARTIST_WITHIN, ARTIST_TIMES = 20, 3  # of the first so many places an artist has so many, at most
GENRE_RUN = 3  # so many places in a row may have one leading genre
NEW_WITHIN = 10  # the first places, of which some go to artists new to the user
PROMOTED_APART = 10  # of so many neighbouring places one may be promoted

# who gives way first stands first: a place gets the best track that breaks only rules up to the lowest
# number possible
NEW_ARTISTS, GENRE_IN_A_ROW, ARTIST_IN_20, ARTIST_IN_4, PROMOTED_IN_10 = range(5)
NAMES = ("new artists", "genre in a row", "artist in 20", "artist in 4", "promoted in 10")
POLICY, EXPLORE = "policy", "explore"


@dataclass(frozen=True)
class Rules:
    """What the settings say of a page.

    `sink`: places that a track sinks for each time it was passed over lately. `spread`: what a track just
    like one above it gives up, as a share of how far values lie apart between the first place and the last.
    `explore`: chance of each place to be drawn.
    """

    page: int = 50
    spread: float = 0.1
    new_artists: int = 1
    explore: float = 0.05
    sink: int = 20
    arrange: bool = True


def relaxed(bits: int) -> list[str]:
    """Marks of a place for the rules that it breaks, a bit a rule.

    >>> relaxed(0b1001)
    ['relaxed: new artists', 'relaxed: artist in 4']
    """
    return [f"relaxed: {name}" for number, name in enumerate(NAMES) if bits >> number & 1]

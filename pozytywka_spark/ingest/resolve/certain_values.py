"""Values that incomplete rows can have, given their session and the grammar of their delivery.

Each row has the values it may have: one if it is complete, else every type and track that its meaning
allows. A value goes if, with it, some row beside it or after it can't be anything any more; and so on until
nothing changes. A thing that is unknown forbids nothing: what it may be is tried, and one way that the
grammar allows is enough. So what is left at the end may still be too much, but never too little.
"""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.ingest.resolve.grammar import FOLLOWERS, Grammar
from pozytywka_spark.ingest.resolve.session_rows import WITH_TRACK, Row, by_instant
from pozytywka_spark.names import ADVERTISEMENT, BUY_PREMIUM, EVENT_TYPES, PLAY

# A track that no row nearby names.
ANOTHER = "\0another"
# How many plays a row may be away whose track is tried.
NEAR = 2
# In a larger crowd too much is possible for anything to be told, and trying it takes long.
CROWD = 8
# Sessions that need more rounds than this don't exist but in tests of malice; stopping leaves too much.
_ROUNDS = 8

# A type and a track; None: no event of its own, but a copy of another.
Value = tuple[str, str | None] | None


class Session:
    """The rows of a session and the values that each may have."""

    def __init__(self, rows: Sequence[Row], at: Sequence[int], copies: frozenset[int], grammar: Grammar):
        """`at` are the places of the rows that take part; of these, `copies` may be copies of others."""
        self.grammar = grammar
        self.instants = by_instant(rows, at)
        self.place = {i: n for n, rows_at in enumerate(self.instants) for i in rows_at}
        self.rows = rows
        self.open = [i for rows_at in self.instants for i in rows_at if not rows[i].whole]
        unsettled = {self.place[i] for i in self.open}
        # what an instant of complete rows only plays: looked at far more often than it is found out
        self._settled = [
            None if place in unsettled else [rows[i].track for i in rows_at if rows[i].kind == PLAY]
            for place, rows_at in enumerate(self.instants)
        ]
        self._bought = [rows[i].time for i in self.place if rows[i].kind == BUY_PREMIUM]
        adverts = (rows[i].time for i in self.place if rows[i].kind == ADVERTISEMENT)
        self._last_advert = max(adverts, default=None)
        self.values: dict[int, list[Value]] = {i: [(rows[i].kind or "", rows[i].track)] for i in self.place}
        self.values |= {i: self._meanings(i) + ([None] if i in copies else []) for i in self.open}

    def settle(self) -> bool:
        """Take away what can't be; false if something then can't be anything: the session is beyond us.

        A row is looked at again only after a row that it has to do with has changed: else nothing would.
        """
        unsure = set(self.open)
        for _ in range(_ROUNDS):
            for i in self.open:
                if i not in unsure:
                    continue
                unsure.discard(i)
                left = self._possible(i)
                if not left:
                    return False
                if len(left) < len(self.values[i]):
                    self.values[i] = left
                    unsure.update(self._beside(i))
            if not unsure:
                break
        return True

    def usual(self, i: int) -> bool:
        """Whether the one value that is left to a row stands beside known ones as is usual."""
        value, here, grammar = self.values[i][0], self.place[i], self.grammar
        assert value is not None
        kind, instant = value[0], self.instants[self.place[i]]
        if len(instant) == 1 and here < len(self.instants) - 1 and not grammar.usual(kind, "just", kind):
            return False
        beside = [self.rows[j].kind for j in instant if j != i]
        pairs = [sorted((kind, other)) for other in beside if other is not None]
        if not all(grammar.usual(kind, "tie", *pair) for pair in pairs):
            return False
        for place in range(here - 1, -1, -1):
            if self._plays(place):
                again = kind == PLAY and value[1] in self._plays(place)
                return not again or grammar.usual(kind, "again")
            kinds = (self.rows[j].kind for j in self.instants[place])
            if kind in FOLLOWERS and not all(
                grammar.usual(kind, "since", other, kind) for other in kinds if other is not None
            ):
                return False
        return True

    def _meanings(self, i: int) -> list[Value]:
        """The values that an incomplete row may have, going by itself."""
        row = self.rows[i]
        kinds: Sequence[str] = EVENT_TYPES
        if row.kind is not None:
            kinds = (row.kind,)
        elif row.track is not None:
            kinds = [kind for kind in EVENT_TYPES if kind in WITH_TRACK]
        elif row.no_track and self.grammar.none_means_trackless:
            kinds = [kind for kind in EVENT_TYPES if kind not in WITH_TRACK]
        if row.kind is None:
            kinds = [kind for kind in kinds if self._by_purchase(i, kind)]
        tracks = [row.track] if row.track is not None else [*self._tracks_near(i), ANOTHER]
        return [(kind, t) for kind in kinds for t in (tracks if kind in WITH_TRACK else [None])]

    def _by_purchase(self, i: int, kind: str) -> bool:
        """Premium is bought once, and no advert follows the purchase, unless the delivery shows otherwise."""
        time, grammar = self.rows[i].time, self.grammar
        if kind == BUY_PREMIUM:
            late = self._last_advert is not None and self._last_advert > time
            return not (grammar.bought_once and self._bought) and not (grammar.adverts_end and late)
        if kind == ADVERTISEMENT and grammar.adverts_end:
            return not any(bought < time for bought in self._bought)
        return True

    def _tracks_near(self, i: int) -> list[str]:
        """The tracks named by rows from two plays before to two plays after."""
        here = self.place[i]
        places = [here]
        for step in (-1, 1):
            plays, place = 0, here + step
            while 0 <= place < len(self.instants) and plays < NEAR:
                places.append(place)
                plays += any(self.rows[j].kind == PLAY for j in self.instants[place])
                place += step
        tracks = {self.rows[j].track for place in places for j in self.instants[place]}
        return sorted(track for track in tracks if track is not None)

    def _possible(self, i: int) -> list[Value]:
        """The values of a row with which everything that it has to do with can be something."""
        here, before, left = self.place[i], self.values[i], []
        touched = self._touched(i)
        follow = [j for j in touched if self.place[j] == here or self._may_follow(j)]
        if not all(self._can_be(j) for j in touched if j not in follow):
            return []
        for value in before:
            self.values[i] = [value]
            if self._stands(i, value) and all(map(self._can_be, follow)):
                left.append(value)
        self.values[i] = before
        return left

    def _may_follow(self, i: int) -> bool:
        return any(value is not None and value[0] in FOLLOWERS for value in self.values[i])

    def _can_be(self, i: int) -> bool:
        return any(self._stands(i, value) for value in self.values[i])

    def _beside(self, i: int) -> list[int]:
        """The other open rows that it has to do with: from the play before its instant to the one after."""
        here = self.place[i]
        first, last = here - 1, here + 1
        while first > 0 and not self._named_play(first):
            first -= 1
        while last < len(self.instants) - 1 and not self._named_play(last):
            last += 1
        return [j for j in self.open if j != i and first <= self.place[j] <= last]

    def _named_play(self, place: int) -> bool:
        return any(self.rows[j].kind == PLAY for j in self.instants[place])

    def _touched(self, i: int) -> list[int]:
        """The rows of its instant and those after it, up to the instant of the next play."""
        here = self.place[i]
        others = [j for j in self.instants[here] if j != i]
        for place in range(here + 1, len(self.instants)):
            others += self.instants[place]
            if self._surely_plays(place):
                break
        return others

    def _stands(self, i: int, value: Value) -> bool:
        if value is None:
            return True
        if not self._in_company(i, value):
            return False
        return value[0] not in FOLLOWERS or (self._between(i, value[0]) and self._owned(i, value))

    def _in_company(self, i: int, value: tuple[str, str | None]) -> bool:
        """Whether the events of its instant go together."""
        place, kind, grammar = self.place[i], value[0], self.grammar
        instant = self.instants[place]
        mid = place < len(self.instants) - 1
        if len(instant) == 1:
            return not (mid and kind in grammar.never_alone)
        unfit = grammar.strangers | grammar.never_just if mid and len(instant) == 2 else grammar.strangers
        return all(
            any(v is None or v == value or (kind, v[0]) not in unfit for v in self.values[j])
            for j in instant
            if j != i
        )

    def _owned(self, i: int, value: tuple[str, str | None]) -> bool:
        """Whether a like or skip has a play that it may belong to."""
        kind, track = value
        here, other = self.place[i], False
        for place in range(here - 1, -1, -1):
            for played in self._plays(place):
                if played == track:
                    return True
                other = True
            if self._surely_plays(place):
                break
        else:
            if kind not in self.grammar.not_before_plays:
                return True
        if kind not in self.grammar.not_of_their_instant and track in self._plays(here, but=i):
            return True
        return other and kind not in self.grammar.of_last_play

    def _between(self, i: int, kind: str) -> bool:
        """Whether the events between a like or skip and its play may stand there."""
        for place in range(self.place[i] - 1, -1, -1):
            if self._plays(place):
                return True
            for j in self.instants[place]:
                if all(v is not None and (v[0], kind) in self.grammar.ends_play for v in self.values[j]):
                    return False
        return True

    def _plays(self, place: int, but: int | None = None) -> list[str | None]:
        """The tracks that an instant may play."""
        settled = self._settled[place]
        if settled is not None and but is None:
            return settled
        values = (value for j in self.instants[place] if j != but for value in self.values[j])
        return [value[1] for value in values if value is not None and value[0] == PLAY]

    def _surely_plays(self, place: int) -> bool:
        settled = self._settled[place]
        if settled is not None:
            return bool(settled)
        return any(
            all(value is not None and value[0] == PLAY for value in self.values[j])
            for j in self.instants[place]
        )

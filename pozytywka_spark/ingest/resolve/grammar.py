"""The grammar of a delivery's sessions: which events share an instant, which belong to which.

No order of events is taken for granted. Sessions are looked at where they are complete, and it is counted
what stands beside what (see `evidence`): a table of some dozens of counts, which add up over sessions. A
thing is taken for impossible only if it never occurs though it had `ENOUGH` occasions to: by the rule of
three it then happens, with 95 % certainty, on fewer than one of a hundred such occasions. What is rare by
nature, such as a purchase, seldom has as many; so it stays possible. That somebody plays a track again
is always possible, whatever the delivery shows. And what is left as the only answer has to be `usual`: where
it is rare itself, what never occurred may be no rarer.

The counts, by their keys (K, L: types; F: LIKE or SKIP):

    kind K               events in instants whose events all have their type
    tie K L              pairs of events in one instant
    mid K, just K        such events before the session's last instant; those of them alone in theirs
    both K L, just K L   such instants that hold both; that hold these two and no other
    owned F, other F     events that belong to a play before; those of another track than the last play's
    with F, same F       those that share their instant with a play; those of that play's track
    starts, none F       beginnings of sessions; events before any play
    after F, since K F   events of which all is known since the play; K stood in between
    again                plays of the track of the play before
    session, users       sessions of which users are known; those of several
    bought, twice        sessions with a purchase and something after it; with several purchases
    unsold               sessions with an advert after the purchase
    blank K              events of a type that has a track, whose track was given as none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pozytywka_spark.names import EVENT_TYPES, LIKE, SKIP

# Occasions without a single case: below 3/300 with 95 % certainty.
ENOUGH = 300
# What is filled in has been seen so often, in this share of the events of its type at least: well above what
# may hide behind none at all.
USUAL, USUAL_SHARE = 30, 0.05
# Purchases are few, and so are mistakes about them: one of a hundred events without a track is one.
PURCHASES = 20
# More sessions than this with several users, and a session tells nobody's name.
SHARED_SESSIONS = 0.001

FOLLOWERS = (LIKE, SKIP)

Key = tuple[str, ...]
Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Grammar:
    """Counts of complete stretches of sessions, and what follows from them; `enough` occasions prove."""

    counts: Mapping[Key, int] = field(default_factory=dict)
    enough: int = ENOUGH

    @cached_property
    def lenient(self) -> Grammar:
        """The same where a single occasion proves: to tell who asks whether more rows would help."""
        return replace(self, enough=1)

    @cached_property
    def strangers(self) -> Pairs:
        """Types of which events never share an instant."""
        return self._pairs(lambda a, b: self._never(("tie", *sorted((a, b))), ("kind", a), ("kind", b)))

    @cached_property
    def never_alone(self) -> frozenset[str]:
        """Types of events that always share their instant, unless it is the session's last."""
        return frozenset(kind for kind in EVENT_TYPES if self._never(("just", kind), ("mid", kind)))

    @cached_property
    def never_just(self) -> Pairs:
        """Types of two events that share an instant, not the session's last, only where a third does too."""
        return self._pairs(lambda a, b: self._never(("just", *sorted((a, b))), ("both", *sorted((a, b)))))

    @cached_property
    def of_last_play(self) -> frozenset[str]:
        """Followers that never bear another track than the last play before their instant."""
        return frozenset(kind for kind in FOLLOWERS if self._never(("other", kind), ("owned", kind)))

    @cached_property
    def not_of_their_instant(self) -> frozenset[str]:
        """Followers that may share their instant with a play, but never belong to that one."""
        return frozenset(kind for kind in FOLLOWERS if self._never(("same", kind), ("with", kind)))

    @cached_property
    def not_before_plays(self) -> frozenset[str]:
        """Followers that no session begins with."""
        return frozenset(kind for kind in FOLLOWERS if self._never(("none", kind), ("starts",)))

    @cached_property
    def ends_play(self) -> Pairs:
        """(K, F): between a play and its F there is never a K."""
        return frozenset(
            (kind, follower)
            for kind in EVENT_TYPES
            for follower in FOLLOWERS
            if self._never(("since", kind, follower), ("kind", kind), ("after", follower))
        )

    @cached_property
    def one_user(self) -> bool:
        """Sessions have one user, but for fewer than `SHARED_SESSIONS` of them."""
        return self.of("users") <= SHARED_SESSIONS * self.of("session")

    @cached_property
    def bought_once(self) -> bool:
        """Premium is bought once: that is its meaning, and the delivery shows it."""
        return not self.of("twice") and self.of("bought") >= min(self.enough, PURCHASES)

    @cached_property
    def adverts_end(self) -> bool:
        """No advert follows the purchase: that is its meaning, and the delivery shows it."""
        return not self.of("unsold") and self.of("bought") >= min(self.enough, PURCHASES)

    @cached_property
    def none_means_trackless(self) -> bool:
        """A track given as none is one of an event that has none, not a lost one."""
        return not any(key[0] == "blank" and rows for key, rows in self.counts.items())

    def comes_twice(self, kind: str) -> bool:
        """Whether two events of this type are ever seen in one instant."""
        return self.of("tie", kind, kind) > 0

    def usual(self, kind: str, *key: str) -> bool:
        """Whether this has been seen often enough, among events of this type, to be an answer."""
        return self.of(*key) >= max(USUAL, USUAL_SHARE * self.of("kind", kind))

    def of(self, *key: str) -> int:
        """The count of a key."""
        return self.counts.get(key, 0)

    def _never(self, key: Key, *occasions: Key) -> bool:
        return not self.of(*key) and all(self.of(*occasion) >= self.enough for occasion in occasions)

    def _pairs(self, holds: Callable[[str, str], bool]) -> Pairs:
        return frozenset((a, b) for a in EVENT_TYPES for b in EVENT_TYPES if holds(a, b))

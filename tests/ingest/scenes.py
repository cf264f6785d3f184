"""Sessions with incomplete rows, beside what becomes of these in a delivery of the usual grammar."""

from __future__ import annotations

# session: (seconds, type, track, user) as delivered; what becomes of its incomplete rows, in order
SCENES = {
    "user from the session": (
        [(0, "PLAY", "a", None), (9, "LIKE", "a", 1)], [("repaired", "user_from_session", "PLAY", "a", 1)]),
    "two users leave no answer": (
        [(0, "PLAY", "a", None), (9, "LIKE", "a", 1), (20, "PLAY", "b", 2)],
        [("quarantined", "unknown_user", None, None, None)]),
    "track of a like and a skip from their play": (
        [(0, "PLAY", "a", 1), (9, "LIKE", None, 1), (20, "SKIP", None, 1), (20, "PLAY", "b", 1)],
        [("repaired", "track_from_play", "LIKE", "a", 1), ("repaired", "track_from_play", "SKIP", "a", 1)]),
    "track of a play from what follows": (
        [(0, "PLAY", None, 1), (9, "LIKE", None, 1), (20, "SKIP", "a", 1), (20, "PLAY", "b", 1)],
        [("repaired", "track_from_skip_or_like", "PLAY", "a", 1),
         ("repaired", "track_from_play", "LIKE", "a", 1)]),
    "a play that nothing follows": (
        [(0, "PLAY", None, 1), (90, "PLAY", "b", 1)], [("quarantined", "unknown_track", None, None, None)]),
    "the skip of an advert's neighbour": (
        [(0, "PLAY", "a", 1), (9, "ADVERTISEMENT", "", 1), (20, "SKIP", None, 1), (20, "PLAY", "b", 1)],
        [("quarantined", "unknown_track", None, None, None)]),
    "a new track is played": (
        [(0, "PLAY", "a", 1), (90, None, "b", 1)], [("repaired", "type_by_order", "PLAY", "b", 1)]),
    "the first event plays": (
        [(0, None, "a", 1), (90, "PLAY", "b", 1)], [("repaired", "type_by_order", "PLAY", "a", 1)]),
    "the same instant as the next: skipped": (
        [(0, "PLAY", "a", 1), (20, None, "a", 1), (20, "PLAY", "b", 1)],
        [("repaired", "type_by_order", "SKIP", "a", 1)]),
    "a skip and a play, both without type": (
        [(0, "PLAY", "a", 1), (20, None, "a", 1), (20, None, "b", 1)],
        [("repaired", "type_by_order", "SKIP", "a", 1), ("repaired", "type_by_order", "PLAY", "b", 1)]),
    "liked or played again": (
        [(0, "PLAY", "a", 1), (20, None, "a", 1), (90, "PLAY", "b", 1)],
        [("quarantined", "unknown_event", None, None, None)]),
    "before a like of the same track: played again, which is too rare to be certain": (
        [(0, "PLAY", "a", 1), (20, None, "a", 1), (30, "LIKE", "a", 1)],
        [("quarantined", "unknown_event", None, None, None)]),
    "an advert, for the purchase comes later": (
        [(0, "PLAY", "a", 1), (20, None, "", 1), (30, "BUY_PREMIUM", "", 1)],
        [("repaired", "type_by_order", "ADVERTISEMENT", None, 1)]),
    "an advert in the instant of a skip": (
        [(0, "PLAY", "a", 1), (20, "SKIP", "a", 1), (20, None, "", 1), (30, "BUY_PREMIUM", "", 1)],
        [("repaired", "type_by_order", "ADVERTISEMENT", None, 1)]),
    "an advert or the purchase": (
        [(0, "PLAY", "a", 1), (20, None, "", 1)], [("quarantined", "unknown_event", None, None, None)]),
    "neither: the purchase is past": (
        [(0, "PLAY", "a", 1), (20, "BUY_PREMIUM", "", 1), (30, None, "", 1)],
        [("quarantined", "unknown_event", None, None, None)]),
    "all three": (
        [(0, "PLAY", "a", 1), (20, None, "a", None), (20, "PLAY", None, None), (30, "LIKE", "b", 1)],
        [("repaired", "user_from_session,type_by_order", "SKIP", "a", 1),
         ("repaired", "user_from_session,track_from_skip_or_like", "PLAY", "b", 1)]),
    "a poorer copy of an event that is there": (
        [(0, "PLAY", "a", 1), (9, "LIKE", "a", 1), (9, "LIKE", None, 1)],
        [("duplicate", "incomplete_copy", "LIKE", None, 1)]),
    "perhaps a copy: no type is made up": (
        [(0, "PLAY", "a", 1), (20, "SKIP", "a", 1), (20, None, "a", 1), (20, "PLAY", "b", 1)],
        [("quarantined", "unknown_event", None, None, None)]),
    "nothing known": (
        [(0, "PLAY", "a", 1), (20, None, None, 1)], [("quarantined", "unknown_event", None, None, None)]),
}  # fmt: skip

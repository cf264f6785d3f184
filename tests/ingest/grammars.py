"""Deliveries of many grammars, their fields blanked, and the truth beside: what repairs are measured on.

Made by plain Python that knows nothing of the code it tests. An event is (session, time in ms, type, track,
user); a trackless one has the track "". Blanked fields are None.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from pozytywka_spark.ingest.resolve.evidence import tally
from pozytywka_spark.ingest.resolve.grammar import Grammar
from pozytywka_spark.ingest.resolve.repair import Outcome, repair
from pozytywka_spark.ingest.resolve.session_rows import Row

Event = tuple[int, int, str | None, str | None, int | None]


@dataclass(frozen=True)
class Form:
    """How a delivery writes its sessions down; the defaults are the usual form."""

    adverts: str = (
        "between"  # between tracks | next, previous: at the instant of such an event | play: within
    )
    likes: str = "within"  # within the play | skip: at the skip's instant | after: after the skip | late
    likes_a_play: int = 1
    skip_gap: int = 0  # ms from the skip to what follows it
    rarely: float = 1.0  # share of plays that the odd form applies to; the others have the usual one
    buys: float = 0.003  # chance a play
    buys_anywhere: bool = False
    again: float = 0.002  # chance that the same track is played again
    twins: float = 0.0  # chance that a play comes twice, a millisecond apart
    round_ms: int = 1
    tracks: int = 300
    length: int = 30


FORMS = {
    "adverts between tracks": Form(),
    "adverts tied with the next event": Form(adverts="next"),
    "likes tied with skips": Form(likes="skip"),
    "adverts tied with the event before": Form(adverts="previous"),
    "a play tied with the advert before it": Form(adverts="play"),
    "likes after skips": Form(likes="after", skip_gap=4000),
    "likes after skips, in one of a hundred": Form(likes="after", skip_gap=4000, rarely=0.01),
    "likes when the next track plays": Form(likes="late"),
    "likes when the next track plays, in one of a hundred": Form(likes="late", rarely=0.01),
    "skips tied with nothing": Form(skip_gap=1500),
    "one skip of fifty tied with nothing": Form(skip_gap=1500, rarely=0.02),
    "one advert of fifty tied with the next event": Form(adverts="next", rarely=0.02),
    "several likes a play": Form(likes_a_play=3),
    "purchases anywhere": Form(buys=0.02, buys_anywhere=True),
    "rounded to seconds": Form(round_ms=1000, adverts="next", likes="skip"),
    "rounded to minutes": Form(round_ms=60_000),
    "rounded to ten minutes": Form(round_ms=600_000),
    "few tracks, played again and again": Form(tracks=4, again=0.3),
    "a play that comes twice": Form(twins=0.1),
    "short sessions": Form(length=3),
    "everything at once": Form(adverts="next", likes="skip", likes_a_play=2, again=0.1, buys_anywhere=True,
                               rarely=0.5),
}  # fmt: skip


def delivery(form: Form, events: int, seed: int) -> list[Event]:
    """At least so many events, session by session; no two of them are the same."""
    dice, made, session = random.Random(seed), [], 0
    while len(made) < events:
        session += 1
        found = sorted(_session(form, dice), key=lambda event: event[0])
        start = session * 100_000_000
        user = 1000 + dice.randrange(max(1, events // 400))
        written = ((session, (start + t) // form.round_ms * form.round_ms, kind, track, user)
                   for t, kind, track in found)  # fmt: skip
        made += dict.fromkeys(written)
    return made


def _session(form: Form, dice: random.Random) -> Iterator[tuple[int, str, str]]:
    time, track, bought = 0, "", False
    for _ in range(dice.randint(1, form.length)):
        odd = dice.random() < form.rarely
        now = form if odd else replace(Form(), tracks=form.tracks)
        track = track if track and dice.random() < form.again else f"t{dice.randrange(form.tracks)}"
        end = time + dice.randint(20_000, 240_000)
        yield time, "PLAY", track
        if dice.random() < form.twins:
            yield time + 1, "PLAY", track
        skipped, liked = dice.random() < 0.37, dice.random() < 0.28
        following = end + (now.skip_gap if skipped else 0)
        within = [time + int((end - time) * dice.uniform(0.02, 0.98)) for _ in range(4)]
        if liked:
            like = {"skip": end if skipped else within[0], "within": within[0],
                    "after": end + 1500 if skipped else within[0],
                    "late": following + 3000 if not skipped else within[0]}[now.likes]  # fmt: skip
            yield like, "LIKE", track
            for more in range(dice.randrange(now.likes_a_play)):
                yield within[more + 1], "LIKE", track
        if skipped:
            yield end, "SKIP", track
        if dice.random() < form.buys and not bought:
            bought = True
            yield (within[3] if form.buys_anywhere else end), "BUY_PREMIUM", ""
            following = max(following, end)
        if not bought and dice.random() < 0.25:
            pause = dice.randint(5, 30) * 1000
            if now.adverts == "between":
                yield following, "ADVERTISEMENT", ""
                following += pause
            elif now.adverts == "previous":
                yield (end if skipped else time), "ADVERTISEMENT", ""
            elif now.adverts == "play":
                yield time, "ADVERTISEMENT", ""
            else:
                at = dice.choice([following, like if liked else following])
                yield at, "ADVERTISEMENT", ""
        time = following if skipped else following + dice.choice([0, 300, 2000])


def blanked(events: list[Event], share: float, seed: int) -> list[Event]:
    """The same events, user, type and track each lost with this chance."""
    dice = random.Random(seed)
    return [
        (s, t, *(None if dice.random() < share else value for value in (kind, track, user)))
        for s, t, kind, track, user in events
    ]


@dataclass
class Measured:
    """Repairs made, of so many incomplete rows, and those that aren't the truth; by what was filled in."""

    made: Counter[str]
    possible: Counter[str]
    wrong: list[tuple[Event, Event, Outcome]]
    why: Counter[str]

    def __add__(self, other: Measured) -> Measured:
        return Measured(self.made + other.made, self.possible + other.possible, self.wrong + other.wrong,
                        self.why + other.why)  # fmt: skip


def measure(form: Form, events: int, seed: int, share: float = 0.05) -> Measured:
    """Repair a blanked delivery of this form, by what its own sessions show, and compare with the truth."""
    truth = delivery(form, events, seed)
    return measured(truth, blanked(truth, share, seed + 1))


def measured(
    truth: list[Event], given: list[Event], shuffled: Callable[[list[int]], None] = lambda _: None
) -> Measured:
    """Repair the events as `given` and compare with the `truth`, in the same order."""
    sessions = [list(found) for _, found in groupby(range(len(truth)), key=lambda i: truth[i][0])]
    shown: Counter[tuple[str, ...]] = Counter()
    for places in sessions:
        shown.update(tally(as_rows(given, places)))
    grammar, total = Grammar(shown), Measured(Counter(), Counter(), [], Counter())
    for places in sessions:
        shuffled(places)
        for i, outcome in zip(places, repair(as_rows(given, places), grammar), strict=True):
            if outcome is not None:
                _compare(truth[i], given[i], outcome, total)
    return total


def as_rows(events: list[Event], places: list[int]) -> list[Row]:
    """The kernel's rows of some events."""
    return [
        Row(t * 1000, kind, track or None, user, track == "")
        for _, t, kind, track, user in (events[i] for i in places)
    ]


def _compare(true: Event, given: Event, outcome: Outcome, total: Measured) -> None:
    lost = [name for name, was, is_ in zip(("type", "track", "user"), true[2:], given[2:], strict=True)
            if is_ is None and was != ""]  # fmt: skip
    what = "+".join(lost)
    if "type" in lost or "track" in lost:
        what += f" {true[2]}"
    total.possible[what] += 1
    if outcome.copy:  # dropped as a poorer copy of another event, which no blanked event is
        total.wrong.append((true, given, outcome))
    elif outcome.why is not None:
        total.why[outcome.why.split(":")[0]] += 1
    else:
        total.made[what] += 1
        if (outcome.kind, outcome.track or "", outcome.user) != true[2:]:
            total.wrong.append((true, given, outcome))

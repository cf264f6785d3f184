"""Repair is right wherever it dares, in any grammar, and dares where session and delivery leave one answer.

Nothing here starts Spark.
"""

import json
import random
from collections import Counter, defaultdict
from datetime import datetime
from itertools import islice, pairwise

import pytest

from pozytywka_spark.ingest.outcomes import UNRESOLVED
from pozytywka_spark.ingest.resolve.evidence import tally
from pozytywka_spark.ingest.resolve.grammar import Grammar
from pozytywka_spark.ingest.resolve.repair import repair
from pozytywka_spark.ingest.resolve.session_rows import Row
from tests.ingest.grammars import FORMS, Measured, blanked, delivery, measure, measured
from tests.ingest.scenes import SCENES
from tests.worlds.deliveries import usual_sessions


def of_sessions(rows):
    """The kernel's rows of raw ones, by session."""
    found = defaultdict(list)
    for row in rows:
        time = int((datetime.fromisoformat(row["timestamp"]) - datetime(1970, 1, 1)).total_seconds() * 1e6)
        track, user = row["track_id"], row["user_id"]
        found[row["session_id"]].append(Row(time, row["event_type"], track or None, user, track == ""))
    return found


def shown_by(sessions):
    counts = Counter()
    for rows in sessions:
        counts.update(tally(rows))
    return Grammar(counts)


@pytest.fixture(scope="module")
def usual():
    return shown_by(of_sessions(usual_sessions()).values())


def scene(cells):
    return [Row(s * 1_000_000, kind, track or None, user, track == "") for s, kind, track, user in cells]


def fates(rows, outcomes):
    """As the scenes tell them."""
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome is None:
            continue
        if outcome.copy:
            yield "duplicate", "incomplete_copy", row.kind, row.track, row.user
        elif outcome.why is None:
            yield "repaired", outcome.reason, outcome.kind, outcome.track, outcome.user
        else:
            lacks = 0 if outcome.user is None else 1 if outcome.kind is None else 2
            yield "quarantined", UNRESOLVED[lacks], None, None, None


@pytest.mark.parametrize("name", SCENES)
def test_scenes(usual, name) -> None:
    cells, expected = SCENES[name]
    rows = scene(cells)
    assert list(fates(rows, repair(rows, usual))) == expected
    backwards = rows[::-1]
    assert list(fates(backwards, repair(backwards, usual)))[::-1] == expected


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([(0, "PLAY", "a", 1), (9, None, "a", 1), (90, "PLAY", "b", 1)], "several types fit: LIKE, PLAY"),
        ([(0, "PLAY", "a", 1), (9, None, "", 1)], "several types fit: ADVERTISEMENT, BUY_PREMIUM"),
        ([(0, "PLAY", None, 1), (90, "PLAY", "b", 1)], "several tracks fit"),
        ([(0, "PLAY", None, 1)], "no row tells its track"),
        ([(0, "PLAY", "a", None)], "no row of the session tells its user"),
        ([(0, "PLAY", "a", 1), (5, "PLAY", "a", 2), (9, "LIKE", None, 2)],
         "the session has several users, so that its order tells nothing for certain"),
        ([(0, "PLAY", "a", 1), (9, "SKIP", None, 1), (30, "PLAY", "b", 1)],
         "no complete session of the delivery has rows like those around it"),
        ([(0, "PLAY", "a", 1), (20, "SKIP", "a", 1), (20, None, "a", 1), (20, "PLAY", "b", 1)],
         "it may be a copy of an event of its instant"),
        ([(0, "PLAY", "a", 1), (20, None, "a", 1), (30, "LIKE", "a", 1)],
         "what fits is too rare in the delivery to be certain"),
    ],
)  # fmt: skip
def test_why_a_row_stays_incomplete(usual, cells, why) -> None:
    rows = scene(cells)
    assert [one.why for one in repair(rows, usual) if one is not None] == [why]


def test_a_delivery_too_small_to_show_its_grammar_tells_only_users() -> None:
    few = shown_by(list(of_sessions(usual_sessions(20)).values()))
    rows = scene([(0, "PLAY", "a", None), (20, None, "a", 1), (20, "PLAY", "b", 1), (30, "LIKE", None, 1)])
    user, kind, track = (one for one in repair(rows, few) if one is not None)
    assert (user.reason, user.user, user.why) == ("user_from_session", 1, None)
    reason = "the delivery shows too few complete sessions to tell: not 300 occasions for what it never shows"
    assert kind.why == f"several types fit: LIKE, PLAY, SKIP; {reason}"
    assert track.why == f"several tracks fit; {reason}"


def test_where_a_row_may_be_missing_only_the_user_is_told(usual) -> None:
    rows = scene([(0, "PLAY", "a", None), (20, None, "a", 1), (20, "PLAY", "b", 1)])
    user, kind = (one for one in repair(rows, usual, gaps=True) if one is not None)
    assert (user.user, user.why) == (1, None)
    assert kind.why == "a row of the session may be missing, so that its order tells nothing for certain"


@pytest.mark.thorough
def test_a_session_of_a_robot_takes_no_time(usual) -> None:
    rows = [Row(n, None if n % 20 else "LIKE", "a", None if n % 3 else 1) for n in range(100_000)]
    found = [one for one in repair(rows, usual) if one is not None]
    assert Counter(one.why for one in found if one.kind is None) == {
        "the session has more than 5000 events": 95_000
    }
    assert {one.user for one in found} == {1}
    assert not tally(rows).keys() - {("session",), ("users",)}


def test_events_that_share_an_instant_by_the_dozen_tell_nothing(usual) -> None:
    rows = [Row(0, "PLAY", f"t{n}", 1) for n in range(12)] + [Row(0, None, "x", 1)]
    assert [one.why for one in repair(rows, usual) if one] == ["more than 8 events share an instant"]


def test_users_are_told_unless_sessions_are_shared() -> None:
    alone, shared = (
        scene([(0, "PLAY", "a", 1), (9, "LIKE", "a", 1)]),
        scene([(0, "PLAY", "a", 1), (9, "LIKE", "a", 2)]),
    )
    rows = scene([(0, "PLAY", "a", None), (9, "LIKE", "a", 1)])
    for sessions, user in (([], 1), ([alone] * 999 + [shared], 1), ([alone] * 900 + [shared], None)):
        (found,) = (one for one in repair(rows, shown_by(sessions)) if one is not None)
        assert found.user == user
    assert found.why == "sessions of the delivery have several users"


def test_a_track_given_as_none_may_be_a_lost_one(usual) -> None:
    """Where tracked events come with "" too, a row without type and with "" isn't an advert for that."""
    cells = [(0, "PLAY", "a", 1), (9, None, "", 1), (40, "BUY_PREMIUM", "", 1)]
    rows, lost = scene(cells), Grammar({**usual.counts, ("blank", "LIKE"): 1})
    assert [one.kind for one in repair(rows, usual) if one is not None] == ["ADVERTISEMENT"]
    assert [one.kind for one in repair(rows, lost) if one is not None] == [None]


def test_a_row_is_the_copy_of_what_its_session_once_told(usual) -> None:
    play, told, after = scene([(0, "PLAY", "a", 1), (20, "SKIP", "a", 1), (20, "PLAY", "b", 1)])
    again = told._replace(kind=None)
    assert [one.copy for one in repair([play, told._replace(told=True), after, again], usual) if one] == [
        True
    ]
    assert [one.copy for one in repair([play, told, after, again], usual) if one] == [False]


def test_likes_of_one_instant_are_no_copies_where_two_likes_share_one() -> None:
    both = scene([(0, "PLAY", "a", 1), (9, "LIKE", "a", 1), (9, "LIKE", "b", 1)])
    rows = scene([(0, "PLAY", "a", 1), (9, "LIKE", "a", 1), (9, "LIKE", None, 1)])
    assert [one.copy for one in repair(rows, shown_by([])) if one] == [True]
    assert [(one.copy, one.why) for one in repair(rows, shown_by([both])) if one] == [
        (False, "it may be a copy of an event of its instant")
    ]


def test_what_a_session_shows() -> None:
    rows = scene([(0, "PLAY", "a", 1), (9, "LIKE", "a", 1), (20, "SKIP", "a", 1), (20, "PLAY", "a", 1),
                  (30, None, "a", 1), (40, "SKIP", "a", 1), (40, "ADVERTISEMENT", "", 1),
                  (60, "LIKE", "c", 1)])  # fmt: skip
    assert +tally(rows) == {
        ("session",): 1, ("starts",): 1, ("again",): 1,
        ("kind", "PLAY"): 2, ("kind", "LIKE"): 2, ("kind", "SKIP"): 2, ("kind", "ADVERTISEMENT"): 1,
        ("mid", "PLAY"): 2, ("mid", "LIKE"): 1, ("mid", "SKIP"): 2, ("mid", "ADVERTISEMENT"): 1,
        ("just", "PLAY"): 1, ("just", "LIKE"): 1,
        ("tie", "PLAY", "SKIP"): 1, ("both", "PLAY", "SKIP"): 1, ("just", "PLAY", "SKIP"): 1,
        ("tie", "ADVERTISEMENT", "SKIP"): 1, ("both", "ADVERTISEMENT", "SKIP"): 1,
        ("just", "ADVERTISEMENT", "SKIP"): 1,
        # what comes after the row without type may belong to it
        ("owned", "LIKE"): 1, ("owned", "SKIP"): 1, ("with", "SKIP"): 1,
        ("after", "LIKE"): 1, ("after", "SKIP"): 1, ("since", "LIKE", "SKIP"): 1,
        ("since", "ADVERTISEMENT", "LIKE"): 1, ("since", "SKIP", "LIKE"): 1,
    }  # fmt: skip
    # as often as its rows come, and in whatever order
    assert tally([*rows, *rows[::-1]]) == tally(rows)


# the least share of what lost a field that is repaired in deliveries of 1,500 to 60,000 events together
SHARES = {
    "adverts between tracks": 0.74,
    "adverts tied with the next event": 0.73,
    "likes tied with skips": 0.71,
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", FORMS)
def test_nothing_is_repaired_wrongly_in_any_grammar(name) -> None:
    found = measure(FORMS[name], 5_000, seed=11)
    assert found.wrong == []
    assert found.made["user"] >= 0.9 * found.possible["user"] > 0
    if name in SHARES:
        assert found.made.total() > 0.7 * found.possible.total()


@pytest.mark.nightly  # half a million events of 21 grammars: deliveries of 5,000 events run in the suite
@pytest.mark.parametrize("name", FORMS)
def test_twenty_thousand_repairs_and_none_is_wrong(name) -> None:
    """Large deliveries and many small ones, in which what is rare may not have been seen."""
    found = Measured(Counter(), Counter(), [], Counter())
    sizes = (
        ((60_000, 3), (4_000, 12), (1_500, 20)) if name in SHARES else ((20_000, 1), (4_000, 6), (1_500, 10))
    )
    for events, deliveries in sizes:
        for seed in range(deliveries):
            found += measure(FORMS[name], events, seed=1000 * events + seed)
    assert found.wrong == []
    if name in SHARES:
        assert found.made.total() >= 20_000
        assert found.made.total() > SHARES[name] * found.possible.total()


def test_the_order_of_the_rows_does_not_matter() -> None:
    truth = delivery(FORMS["adverts tied with the next event"], 6_000, seed=2)
    given = blanked(truth, 0.05, seed=3)
    straight, shuffled = measured(truth, given), measured(truth, given, random.Random(4).shuffle)
    assert (straight.made, straight.why, straight.wrong) == (shuffled.made, shuffled.why, shuffled.wrong)


@pytest.mark.thorough
def test_fields_of_a_whole_delivery(clean_delivery) -> None:
    """As it is, with times cut to seconds, with adverts and with likes at the instant of the next event."""
    with (clean_delivery / "sessions.jsonl").open() as file:
        rows = [json.loads(line) for line in islice(file, 20_000)]
    events = sorted(
        (r["session_id"], int(datetime.fromisoformat(r["timestamp"]).timestamp() * 1000), n, r)
        for n, r in enumerate(rows)
    )
    usual = [(s, t, r["event_type"], r["track_id"], r["user_id"]) for s, t, _, r in events]
    seconds = [(s, t // 1000 * 1000, *rest) for s, t, *rest in usual]
    tied = [_at_the_next("ADVERTISEMENT", "PLAY", *pair) for pair in pairwise([*usual, usual[0]])]
    likes = [_at_the_next("LIKE", "SKIP", *pair) for pair in pairwise([*usual, usual[0]])]
    for truth, least in ((usual, 0.78), (seconds, 0.5), (tied, 0.76), (likes, 0.74)):
        found = measured(truth, blanked(truth, 0.05, seed=5))
        assert found.wrong == []
        assert found.made.total() > least * found.possible.total()


def _at_the_next(kind, following, event, after):
    session, _, is_, *rest = event
    tied = is_ == kind and after[0] == session and after[2] == following
    return (session, after[1], is_, *rest) if tied else event

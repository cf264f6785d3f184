"""What is left out of a session has no say: repairs of the rest are those of the whole."""

from collections import Counter
from itertools import groupby

import polars as pl
import pytest
from test_ingest_repair_kernel import of_sessions, scene, shown_by

from pozytywka_spark.ingest.resolve.evidence import tally
from pozytywka_spark.ingest.resolve.grammar import Grammar
from pozytywka_spark.ingest.resolve.relevant_rows import have_a_say
from pozytywka_spark.ingest.resolve.repair import repair
from tests.ingest.grammars import FORMS, as_rows, blanked, delivery
from tests.worlds.deliveries import usual_sessions


@pytest.fixture(scope="module")
def usual():
    return shown_by(of_sessions(usual_sessions()).values())


def thinned(rows, *, torn=False):
    """The rows of one session that have a say, in the order of time."""
    (kept,) = each_thinned([rows], torn=torn)
    return kept


def each_thinned(sessions, *, torn=False):
    """The same of many sessions, which lie in one frame as they do in a task."""
    sessions = [sorted(rows, key=lambda row: row.time) for rows in sessions]
    frame = pl.DataFrame(
        [(number, *row[:4], row.user is None or not row.whole, torn)
         for number, rows in enumerate(sessions) for row in rows],
        pl.Schema(
            {"session_id": pl.Int64, "event_time": pl.Int64, "event_type": pl.String, "track_id": pl.String,
             "user_id": pl.Int64, "needy": pl.Boolean, "torn": pl.Boolean}
        ),
        orient="row",
    )  # fmt: skip
    says = iter(have_a_say(frame).to_list())
    kept = [[row for row in rows if next(says)] for rows in sessions]
    assert next(says, None) is None
    return kept


def outcomes(rows, grammar, *, gaps=False):
    """Of incomplete rows, in the order of time."""
    in_order = sorted(rows, key=lambda row: row.time)
    return [one for one in repair(in_order, grammar, gaps=gaps) if one is not None]


@pytest.mark.thorough
@pytest.mark.parametrize("name", FORMS)
def test_repairs_of_what_has_a_say_are_those_of_the_whole(name) -> None:
    """In every grammar, of many rows that lack something and of few, however little proves something."""
    left_out = 0
    for share in (0.02, 0.3):
        given = blanked(delivery(FORMS[name], 1_500, seed=3), share, seed=4)
        sessions = [as_rows(given, list(found))
                    for _, found in groupby(range(len(given)), key=lambda i: given[i][0])]  # fmt: skip
        counts = Counter()
        for rows in sessions:
            counts.update(tally(rows))
        kept = each_thinned(sessions)
        for grammar in (Grammar(counts), Grammar(counts, 1)):
            for rows, few in zip(sessions, kept, strict=True):
                if len(few) < len(rows):
                    assert outcomes(few, grammar) == outcomes(rows, grammar)
                    left_out += len(rows) - len(few)
    assert left_out > 100 or name in ("short sessions", "rounded to ten minutes")


_PLAYS = [(1000 * n, "PLAY", f"t{n}", 1) for n in range(1, 9)]
_FIRST = (0, "PLAY", "first", 1)  # it tells the session's user
_OPEN = (9000, None, "", 1)


@pytest.mark.parametrize(
    ("far", "why"),
    [
        ([], "several types fit: ADVERTISEMENT, BUY_PREMIUM"),
        ([(9, "BUY_PREMIUM", "", 1)], "no complete session of the delivery has rows like those around it"),
        ([(9, "PLAY", "a", 2)], "the session has several users, so that its order tells nothing for certain"),
        ([(9, "PLAY", f"u{n}", 1) for n in range(9)], "more than 8 events share an instant"),
        ([(9 + n / 10, "PLAY", f"u{n}", 1) for n in range(5_000)], "the session has more than 5000 events"),
    ],
)
def test_what_counts_from_afar(usual, far, why) -> None:
    """The purchase, another user, a crowd, a session too long."""
    rows = scene([(s, kind, track, user) for s, kind, track, user in [_FIRST, *far, *_PLAYS, _OPEN]])
    rows = [row._replace(time=int(row.time)) for row in rows]
    for told in (rows, thinned(rows)):
        assert [one.why for one in outcomes(told, usual)] == [why]


def test_an_advert_far_behind_forbids_the_purchase(usual) -> None:
    rows = scene([(0, "PLAY", "a", 1), (9, None, "", 1), *_PLAYS, (9999, "ADVERTISEMENT", "", 1), *[
        (10_000 + n, "PLAY", f"v{n}", 1) for n in range(5)]])  # fmt: skip
    assert [one.kind for one in outcomes(thinned(rows), usual)] == ["ADVERTISEMENT"]


def test_of_a_torn_session_only_copies_and_users_are_looked_for(usual) -> None:
    rows = scene([*_PLAYS, (500, "PLAY", "a", None), (2000, "PLAY", None, 1), (9000, None, "x", 1)])
    kept = thinned(rows, torn=True)
    assert {row.time for row in kept} == {500_000_000, 1_000_000_000, 2_000_000_000, 9_000_000_000}
    assert outcomes(kept, usual, gaps=True) == outcomes(rows, usual, gaps=True)

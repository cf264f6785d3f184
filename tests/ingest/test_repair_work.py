"""Repair through all its jobs: what the kernel decides becomes of the rows (`test_ingest_repair_kernel`)."""

import copy
import json
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache

import polars as pl
import pytest
from test_ingest_repair_kernel import fates, of_sessions, shown_by

from pozytywka_spark.ingest.outcomes import UNRESOLVED
from pozytywka_spark.ingest.resolve.repair import repair
from tests.ingest.grammars import FORMS, as_rows, blanked, delivery
from tests.ingest.memory_ingest import MemoryIngest
from tests.ingest.scenes import SCENES
from tests.worlds.deliveries import usual_sessions

T0 = datetime(2023, 1, 1)


def raw(session, cells):
    """Rows of a session from (seconds, type, track, user)."""
    return [
        {
            "timestamp": (T0 + timedelta(seconds=s)).isoformat(),
            "user_id": user,
            "track_id": track,
            "event_type": kind,
            "session_id": session,
        }
        for s, kind, track, user in cells
    ]


def usual_lake(**how):
    """A lake that shows what is usual."""
    return copy.deepcopy(_usual(**how))


@cache
def _usual(**how):
    lake = MemoryIngest(**how)
    lake.ingest(usual_sessions())
    return lake


def repaired(lake):
    """(session, time, type, track, user, reason) of each repaired event."""
    rows = lake.events().filter("repaired").sort("event_time", "session_id", "event_type", "track_id")
    return rows.select(
        "session_id", "event_time", "event_type", "track_id", "user_id", "repair_reason"
    ).rows()


# two users of one session among so few would leave no session certain
ALONE = {name: cells for name, (cells, _) in SCENES.items() if name != "two users leave no answer"}


def rows_of_scenes():
    return [row for n, cells in enumerate(ALONE.values()) for row in raw(n, cells)]


@pytest.mark.thorough
def test_scenes() -> None:
    """Tasks bring together what the kernel judges, and its verdicts to where they belong."""
    rows, lake = rows_of_scenes(), usual_lake()
    counts = lake.ingest(rows)
    sessions = of_sessions([*rows, *usual_sessions()])
    grammar = shown_by(sessions.values())
    expected = {n: Counter(fates(sessions[n], repair(sessions[n], grammar))) for n in range(len(ALONE))}
    found = defaultdict(Counter)
    for session, _, kind, track, user, reason in repaired(lake):
        found[session]["repaired", reason, kind, track, user] += 1
    for text, reason in lake.quarantine().select("raw", "reason").rows():
        found[json.loads(text)["session_id"]]["quarantined", reason, None, None, None] += 1
    copies = {
        n: +Counter({f: m for f, m in told.items() if f[0] == "duplicate"}) for n, told in expected.items()
    }
    assert {n: found[n] for n in expected} == {n: told - copies[n] for n, told in expected.items()}
    assert counts["duplicate", "incomplete_copy"] == sum(each.total() for each in copies.values()) > 0
    told = Counter(fate for session in expected.values() for fate, *_ in session.elements())
    assert told["repaired"] > 12
    assert told["quarantined"] > 5
    assert sum(counts.values()) == len(rows)


def event_lines(events):
    """Raw rows of (session, time in ms, type, track, user)."""
    return [
        {
            "timestamp": (T0 + timedelta(milliseconds=time)).isoformat(),
            "user_id": user,
            "track_id": track,
            "event_type": kind,
            "session_id": session,
        }
        for session, time, kind, track, user in events
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("name", FORMS)
def test_a_blanked_delivery_of_any_grammar(name) -> None:
    """Nothing that wasn't there is filled in, and it is what the kernel tells of whole sessions."""
    truth = delivery(FORMS[name], 1_000, seed=6)
    given = blanked(truth, 0.05, seed=7)
    lake = MemoryIngest(buckets=3)
    counts = lake.ingest(event_lines(given))
    found = {(s, t, kind, track or "", user) for s, t, kind, track, user, _ in repaired(lake)}
    assert found <= {
        (s, (T0 + timedelta(milliseconds=t)).replace(tzinfo=UTC), *rest) for s, t, *rest in truth
    }
    assert sum(counts.values()) == len(given)
    sessions, once = defaultdict(list), list(dict.fromkeys(given))
    for place, (session, *_) in enumerate(once):
        sessions[session].append(place)
    grammar = shown_by(as_rows(once, places) for places in sessions.values())
    expected = +Counter({("duplicate", "incomplete_copy"): len(given) - len(once)})
    told = [one for places in sessions.values() for one in repair(as_rows(once, places), grammar) if one]
    expected.update(fates_of(told))
    assert Counter({fate: rows for fate, rows in counts.items() if fate[1]}) == expected
    whys = lake.quarantine().get_column("rule")
    assert sorted(whys) == sorted(one.why for one in told if one.why)


def fates_of(outcomes):
    for one in outcomes:
        if one.copy:
            yield "duplicate", "incomplete_copy"
        elif one.why:
            yield "quarantined", UNRESOLVED[0 if one.user is None else 1 if one.kind is None else 2]
        else:
            yield "repaired", one.reason


@pytest.mark.thorough
def test_a_blanked_delivery_of_another_grammar_is_mostly_repaired() -> None:
    truth = delivery(FORMS["adverts tied with the next event"], 2_500, seed=6)
    lake = MemoryIngest()
    counts = lake.ingest(event_lines(blanked(truth, 0.05, seed=7)))
    many = sum(rows for (outcome, _), rows in counts.items() if outcome == "repaired")
    assert many > 0.7 * sum(rows for (outcome, _), rows in counts.items() if outcome != "kept")
    whys = {rule.split(":")[0].split(";")[0] for rule in lake.quarantine().get_column("rule")}
    assert {"several types fit", "several tracks fit"} <= whys


def test_every_scene_that_comes_again_adds_nothing() -> None:
    rows, lake = rows_of_scenes(), usual_lake()
    lake.ingest(rows)
    again = lake.ingest(rows)
    assert {outcome for outcome, _ in again} == {"duplicate"}
    assert sum(again.values()) == len(rows)


@pytest.mark.thorough
def test_the_order_of_rows_in_the_file_does_not_matter() -> None:
    rows = rows_of_scenes()
    ends = []
    for order in (rows, random.Random(5).sample(rows, len(rows))):
        lake = usual_lake(buckets=2)
        counts = lake.ingest(order)
        ends.append(
            (counts, sorted(lake.events().get_column("event_id")), sorted(lake.quarantine()["quarantine_id"]))
        )
    assert ends[0] == ends[1]


@pytest.mark.thorough
def test_what_is_repaired_is_the_truth(clean_delivery) -> None:
    """Fields of a sound delivery are blanked at random; each repaired event must be one of those."""
    with (clean_delivery / "sessions.jsonl").open() as file:
        truth = [json.loads(line) for line in file][:8000]
    dice = random.Random(1)
    rows, lost = [], []
    for row in truth:
        blank = [name for name in ("user_id", "track_id", "event_type") if dice.random() < 0.05]
        rows.append({**row, **dict.fromkeys(blank)})
        # an advert that loses its track is still whole
        if set(blank) - ({"track_id"} if row["event_type"] in ("ADVERTISEMENT", "BUY_PREMIUM") else set()):
            lost.append(row)
    lake = MemoryIngest()
    counts = lake.ingest(rows)
    found = {
        (t.replace(tzinfo=None), user, track or "", kind, s) for s, t, kind, track, user, _ in repaired(lake)
    }
    names = ("user_id", "track_id", "event_type", "session_id")
    wanted = {(datetime.fromisoformat(r["timestamp"]), *(r[name] for name in names)) for r in lost}
    assert sum(rows for (outcome, _), rows in counts.items() if outcome != "kept") == len(lost)
    assert found <= wanted
    assert len(found) > 0.6 * len(lost)


def test_silver_gives_context_to_a_session_that_goes_on() -> None:
    lake = usual_lake()
    lake.ingest(raw(1, [(0, "PLAY", "a", 1)]))
    assert lake.ingest(raw(1, [(9, "LIKE", None, None)])) == {
        ("repaired", "user_from_session,track_from_play"): 1
    }
    assert [(track, user) for *_, track, user, _ in repaired(lake)] == [("a", 1)]


@pytest.mark.thorough
def test_a_line_that_comes_twice_is_repaired_once() -> None:
    """In one file, and in two that make one batch."""
    session = raw(1, [(0, "PLAY", "a", 1), (9, "LIKE", None, 1), (30, "PLAY", "b", 1)])
    for files in ([[*session, session[1]]], [session, [session[1]]]):
        counts = usual_lake().ingest(*files)
        assert counts == {
            ("kept", None): 2,
            ("repaired", "track_from_play"): 1,
            ("duplicate", "incomplete_copy"): 1,
        }


def test_a_row_whose_event_was_told_before_is_its_copy_even_beside_a_sound_one() -> None:
    lake = usual_lake()
    session = [(0, "PLAY", "a", 1), (20, None, "a", 1), (20, "PLAY", "b", 1)]
    assert lake.ingest(raw(1, session))["repaired", "type_by_order"] == 1
    more = raw(1, [(20, "SKIP", "a", 1), (20, None, "a", 1), (20, None, "a", None)])
    assert lake.ingest(more) == {("duplicate", "same_row"): 1, ("duplicate", "incomplete_copy"): 2}


@pytest.mark.thorough
def test_a_row_that_waits_for_its_session_comes_back() -> None:
    lake = usual_lake()
    lake.ingest(raw(1, [(9, "LIKE", None, None)]))
    assert lake.quarantine().get_column("reason").to_list() == ["unknown_user"]
    assert lake.replay() == {}
    lake.ingest(raw(1, [(0, "PLAY", "a", 1), (30, "PLAY", "b", 1)]))
    assert lake.replay("unknown_event") == {}
    assert lake.replay("unknown_user") == {("repaired", "user_from_session,track_from_play"): 1}
    assert lake.quarantine().height == 0
    # a sound copy finds it there; a poorer one, once more delivered, is told to be such
    assert lake.ingest(raw(1, [(9, "LIKE", "a", 1)])) == {("duplicate", "same_row"): 1}
    assert lake.ingest(raw(1, [(9, "LIKE", None, None)])) == {("duplicate", "incomplete_copy"): 1}


# what is lost of the session, as a line or none; what becomes of the rows without user, type and track
_PLAYS = [(0, "PLAY", "a", 1), (20, None, "a", 1), (20, "PLAY", "b", None), (30, "LIKE", None, 1)]
_REPAIRED = ["repaired", "repaired", "repaired"]
_CAUTIOUS = ["unknown_event", "repaired", "unknown_track"]


@pytest.mark.thorough
def test_only_the_user_is_told_where_a_row_is_missing() -> None:
    day = 86_400
    lost = {
        0: None,
        1: json.dumps(raw(1, [(day + 10, "NAP", "a", 1)])[0]),
        2: json.dumps(raw(2, [(2 * day + 10, "LIKE", "a", 1)])[0])[:-1],
        3: json.dumps(raw(3, [(9 * day, "LIKE", "a", 1)])[0])[:-1],  # of another time
    }
    expected = {0: _REPAIRED, 1: _CAUTIOUS, 2: _CAUTIOUS, 3: _REPAIRED}
    sound = [row for s in lost for row in raw(s, [(s * day + at, *cells) for at, *cells in _PLAYS])]
    lines = [line for line in lost.values() if line]
    assert told(usual_lake(), [*lines, *sound]) == expected
    # told by an earlier batch it is the same, and a line that tells nothing speaks for its whole file
    lake = usual_lake()
    lake.ingest([lost[1]])
    assert told(lake, sound) == {session: _CAUTIOUS if session == 1 else _REPAIRED for session in lost}
    assert told(usual_lake(), [*sound, "{"]) == dict.fromkeys(lost, _CAUTIOUS)
    assert told(usual_lake(), sound, ["{"]) == dict.fromkeys(lost, _REPAIRED)
    # a line that was lost before and comes again whole is where it belongs
    lake = usual_lake()
    lake.ingest(["{", lost[1]])
    assert told(lake, [*sound, lost[1]])[1] == _CAUTIOUS


def told(lake, *files):
    """Of each session: what became of its incomplete rows, in order."""
    before = lake.events().height
    lake.ingest(*files)
    found = defaultdict(list)
    new = lake.events().slice(before).filter("repaired")
    for session, time in new.select("session_id", "event_time").rows():
        found[session].append((time.replace(tzinfo=None), "repaired"))
    for text, reason in (
        lake.quarantine().filter(pl.col("reason").is_in(UNRESOLVED)).select("raw", "reason").rows()
    ):
        row = json.loads(text)
        found[row["session_id"]].append((datetime.fromisoformat(row["timestamp"]), reason))
    order = {s: sorted(rows, key=lambda one: (one[0], one[1] == "repaired")) for s, rows in found.items()}
    return {session: [fate for _, fate in rows] for session, rows in order.items()}

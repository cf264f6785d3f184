"""Batches through all of resolving: one event is one event, nothing is lost and nothing made up."""

import json
from collections import Counter
from datetime import UTC

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_repair_work import usual_lake

from tests.worlds.deliveries import GRAMMAR_FROM, sessions

_BROKEN = [
    '{"timestamp": ',
    "nonsense",
    "[]",
    '{"a": 1}',
    '{"timestamp": 5}',
    "\\",
    '{"x": NaN}',
    "\x00",
    "null",
]
_INCOMPLETE = [
    {"user_id": None}, {"track_id": None}, {"event_type": None}, {"user_id": -1},
    {"user_id": None, "track_id": None, "event_type": None},
]  # fmt: skip
_BAD = [
    {"user_id": "x"}, {"session_id": None}, {"timestamp": "2023-02-30T00:00:00"}, {"timestamp": "25:61"},
    {"track_id": 7}, {"event_type": "NAP"}, {"new": {"deep": [1]}},
]  # fmt: skip


def test_the_same_event_however_it_comes_is_one() -> None:
    rows = sessions(1, seed=1)
    play, time = rows[0], rows[0]["timestamp"]
    copies = [
        play,
        dict(reversed(play.items())),
        play | {"event_type": "play"},
        play | {"timestamp": f"{time}.000000"},
        play | {"user_id": None},
        play | {"track_id": None},
        play | {"event_type": None},
    ]
    assert usual_lake().ingest(rows + copies) == {
        ("kept", None): len(rows),
        ("duplicate", "same_row"): 5,
        ("duplicate", "incomplete_copy"): 1,
        ("quarantined", "unknown_event"): 1,
    }


def test_what_differs_in_any_field_is_another() -> None:
    other = sessions(1, seed=1, first=101)[0]
    others = [
        other | {"timestamp": "2023-01-30T22:00:00.000001"},
        other | {"user_id": 5},
        other | {"session_id": 102},
        other | {"track_id": "other"},
        other | {"event_type": "LIKE"},
    ]
    lake = usual_lake()
    assert lake.ingest([other, *others]) == {("kept", None): 6}


def test_a_sound_row_comes_before_its_repaired_copy() -> None:
    rows = sessions(1, seed=1, first=201)
    lake = usual_lake()
    counts = lake.ingest([rows[0] | {"user_id": None}, *rows])
    assert counts == {("kept", None): len(rows), ("duplicate", "same_row"): 1}
    assert lake.events().filter("repaired").height == 0


@pytest.mark.thorough
def test_a_second_delivery_adds_nothing() -> None:
    rows = sessions(20, seed=2)
    rows[3] = rows[3] | {"user_id": None}
    lake = usual_lake(buckets=3)
    lake.ingest(rows)
    more = sessions(5, seed=3, first=50)
    assert lake.ingest(rows + more) == {("duplicate", "same_row"): len(rows), ("kept", None): len(more)}


@pytest.mark.thorough
def test_the_same_batch_again_ends_the_same_whatever_of_it_was_written() -> None:
    """As after a kill: what the attempt put into quarantine is neither a duplicate nor an older loss."""
    rows = sessions(30, seed=4)
    rows[5] = rows[5] | {"event_type": None}
    rows[9] = rows[9] | {"user_id": None}
    dirty = [*rows, "nonsense", json.dumps(rows[40])[:-3]]
    lake, other = usual_lake(), usual_lake()
    first = lake.ingest(dirty, number=7)
    lake.forget("events")
    assert lake.ingest(dirty, number=7) == first == other.ingest(dirty, number=7)


@st.composite
def _deliveries(draw):
    """Sound sessions; and in batches of files, what their rows have become, with what was as it should be."""
    good = sessions(draw(st.integers(5, 25)), seed=draw(st.integers(0, 1000)))
    nonsense = draw(st.booleans())  # lines that tell nothing leave no session certain
    rows = []
    for row in good:
        dice = draw(st.integers(0, 29))
        if dice < 19:
            rows.append(row)
        elif dice < 25:
            rows.append(row | draw(st.sampled_from(_INCOMPLETE)))
        elif dice < 27:
            rows += [row] * draw(st.integers(2, 3))
        else:
            line = json.dumps(row)
            kinds = [line[: -draw(st.integers(1, 60))], line + line, row | draw(st.sampled_from(_BAD))]
            rows.append(draw(st.sampled_from(kinds + [draw(st.sampled_from(_BROKEN))] * nonsense)))
    rows = draw(st.permutations(rows)) if draw(st.booleans()) else rows
    cuts = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    pieces = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    return good, [piece for piece in pieces if piece]


def _said(lake):
    """What the events say, each as often as it is there."""
    mine = lake.events().filter(pl.col("session_id") < GRAMMAR_FROM)
    events = mine.select("session_id", "event_time", "event_type", "track_id").rows()
    return Counter(
        (s, t.astimezone(UTC).replace(tzinfo=None).isoformat(), kind, track or "")
        for s, t, kind, track in events
    )


@pytest.mark.thorough
@settings(max_examples=8, suppress_health_check=list(HealthCheck), derandomize=True)
@given(_deliveries(), st.integers(1, 3), st.data())
def test_any_mix_of_corruptions_in_any_batches_adds_up(deliveries, buckets, data) -> None:
    """Each of many sessions draws its own corruptions; they come in files of one batch, or in several."""
    good, pieces = deliveries
    together = data.draw(st.booleans())
    lake = usual_lake(buckets=buckets)
    total = Counter()
    for batch in [pieces] if together else [[piece] for piece in pieces]:
        total.update(lake.ingest(*batch))
    rows = [row for piece in pieces for row in piece]
    # no row lost: each has one fate, and each fate is to be found
    assert total.total() == len(rows)
    said = _said(lake)
    fates = Counter()
    for (outcome, _), many in total.items():
        fates[outcome] += many
    assert fates["kept"] + fates["repaired"] == said.total() == len(said)
    assert fates["quarantined"] == lake.quarantine().height
    assert lake.quarantine()["quarantine_id"].is_unique().all()
    # what came through whole is there, whatever happened around it
    whole = {
        (r["session_id"], r["timestamp"], r["event_type"], r["track_id"])
        for r in rows if isinstance(r, dict) and r in good
    }  # fmt: skip
    assert whole <= said.keys()
    # and nothing was made up, not even where a session lost whole rows
    true = {(r["session_id"], r["timestamp"], r["event_type"], r["track_id"]) for r in good}
    assert said.keys() <= true
    # all of it once more, in one batch: nothing is added
    again = lake.ingest(rows)
    assert said.keys() <= _said(lake).keys()
    assert _said(lake).keys() <= true
    assert sum(again.values()) == len(rows)
    if together:
        assert {outcome for outcome, _ in again} <= {"duplicate"}


@pytest.mark.thorough
@settings(max_examples=4, suppress_health_check=list(HealthCheck), derandomize=True)
@given(_deliveries(), st.integers(1, 4))
def test_the_outcome_depends_on_neither_buckets_nor_files_nor_tasks(deliveries, buckets) -> None:
    _, pieces = deliveries
    ends = []
    rows = [row for piece in pieces for row in piece]
    for files, how in (
        ([rows], {}),
        ([rows], {"buckets": buckets, "slots": 4}),
        ([rows[::-1]], {"slots": 1}),
    ):
        lake = usual_lake(**how)
        counts = lake.ingest(*files)
        ends.append((counts, _said(lake), sorted(lake.quarantine()["quarantine_id"])))
    assert ends[0] == ends[1] == ends[2]

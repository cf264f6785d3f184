"""Identity of events, and what is a duplicate."""

import json
from collections import Counter

from deliveries import sessions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_ingest_repair import resolve

from pozytywka_spark.schemas import EVENTS

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


def outcomes(df):
    return {tuple(row[:2]): row[2] for row in df.groupBy("outcome", "reason").count().collect()}


def cases():
    """By the session they take place in: what was delivered, and what becomes of it."""
    same, different, sound = (sessions(1, seed=1, first=first) for first in (1, 101, 201))
    play, time = same[0], same[0]["timestamp"]
    copies = [
        play,
        dict(reversed(play.items())),
        play | {"event_type": "play"},
        play | {"timestamp": f"{time}.000000"},
        play | {"user_id": None},
        play | {"track_id": None},
        play | {"event_type": None},
    ]
    other = different[0]
    others = [
        other | {"timestamp": "2023-01-30T22:00:00.000001"},
        other | {"user_id": 5},
        other | {"session_id": 102},
        other | {"track_id": "other"},
        other | {"event_type": "LIKE"},
    ]
    return {
        "the same event, however it comes, is one": (
            same + copies,
            {("kept", None): len(same), ("duplicate", "same_row"): 5, ("duplicate", "incomplete_copy"): 1,
             ("quarantined", "unknown_event"): 1}),
        "what differs in any field is another": ([other, *others], {("kept", None): 6}),
        "a sound row comes before its repaired copy": (
            [sound[0] | {"user_id": None}, *sound],
            {("kept", None): len(sound), ("duplicate", "same_row"): 1}),
    }  # fmt: skip


def test_what_is_one_event_and_what_are_two(spark) -> None:
    told = cases()
    # where one of few sessions has two users, no session tells any: these come apart
    shared = told["what differs in any field is another"][0]
    rows = [row for rows, _ in told.values() if rows is not shared for row in rows]
    found = {name: Counter() for name in told}
    for row in resolve(spark, rows).collect() + resolve(spark, shared).collect():
        session = json.loads(row["raw"])["session_id"] if row["raw"] else row["session_id"]
        found[list(told)[session // 100]][row["outcome"], row["reason"]] += 1
    assert found == {name: Counter(expected) for name, (_, expected) in told.items()}


def test_a_second_delivery_adds_nothing(spark) -> None:
    rows = sessions(20, seed=2)
    rows[3] = rows[3] | {"user_id": None}
    held = spark.createDataFrame(resolve(spark, rows).select(*EVENTS.columns).collect(), EVENTS.schema)
    more = sessions(5, seed=3, first=50)
    assert outcomes(resolve(spark, rows + more, held)) == {
        ("duplicate", "same_row"): len(rows), ("kept", None): len(more)}  # fmt: skip


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data())
def test_any_mix_of_corruptions_adds_up(spark, data) -> None:
    """Each of many sessions draws its own corruptions; all go through as one batch."""
    good = sessions(60, seed=data.draw(st.integers(0, 1000)))
    rows, nonsense = [], data.draw(st.booleans())  # lines that tell nothing leave no session certain
    for row in good:
        dice = data.draw(st.integers(0, 29))
        if dice < 19:
            rows.append(row)
        elif dice < 25:
            rows.append(row | data.draw(st.sampled_from(_INCOMPLETE)))
        elif dice < 27:
            rows += [row] * data.draw(st.integers(2, 3))
        else:
            line = json.dumps(row)
            kinds = [
                line[: -data.draw(st.integers(1, 60))],
                line + line,
                row | data.draw(st.sampled_from(_BAD)),
            ]
            rows.append(data.draw(st.sampled_from(kinds + [data.draw(st.sampled_from(_BROKEN))] * nonsense)))
    rows = data.draw(st.permutations(rows)) if data.draw(st.booleans()) else rows
    found = resolve(spark, rows).persist()
    assert found.count() == len(rows)
    new = [r for r in found.collect() if r["outcome"] in ("kept", "repaired")]
    assert len({r["event_id"] for r in new}) == len(new)
    # what came through whole is there, whatever happened around it
    said = {(r["session_id"], r["event_time"].isoformat(), r["event_type"], r["track_id"] or "") for r in new}
    whole = {
        (r["session_id"], r["timestamp"], r["event_type"], r["track_id"])
        for r in rows if isinstance(r, dict) and r in good
    }  # fmt: skip
    assert whole <= said
    # and nothing was made up, not even where a session lost whole rows
    true = {(r["session_id"], r["timestamp"], r["event_type"], r["track_id"]) for r in good}
    assert said <= true
    found.unpersist()

"""Repair is right wherever it dares, and dares where the session leaves one answer."""

import json
import random
from collections import defaultdict
from datetime import datetime, timedelta

from deliveries import lines_of
from pyspark.sql import DataFrame

from pozytywka_spark.ingest.contracts import SESSIONS
from pozytywka_spark.ingest.events import resolve_events
from pozytywka_spark.ingest.judging import judge_lines
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.kept import read_stored
from pozytywka_spark.schemas import EVENTS

T0 = datetime(2023, 1, 1)


def resolve(spark, rows, held=None, quarantine=None):
    judged = kept(judge_lines(lines_of(spark, rows), SESSIONS, Judging(2**20)))
    held = held if held is not None else spark.createDataFrame([], EVENTS.schema)
    return resolve_events(judged, held, quarantine, kept)


def kept(df: DataFrame) -> DataFrame:
    return read_stored(df.persist())


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
    "before a like of the same track: played again": (
        [(0, "PLAY", "a", 1), (20, None, "a", 1), (30, "LIKE", "a", 1)],
        [("repaired", "type_by_order", "PLAY", "a", 1)]),
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


def test_scenes(spark) -> None:
    names = list(SCENES)
    rows = [row for n, name in enumerate(names) for row in raw(n, SCENES[name][0])]
    resolved = resolve(spark, rows).where("outcome != 'kept'").orderBy("source_order").collect()
    found = defaultdict(list)
    for row in resolved:
        session = json.loads(row["raw"])["session_id"] if row["raw"] else row["session_id"]
        event = (
            (None,) * 3
            if row["outcome"] == "quarantined"
            else (row["event_type"], row["track_id"], row["user_id"])
        )
        found[names[session]].append((row["outcome"], row["reason"], *event))
    assert dict(found) == {name: expected for name, (_, expected) in SCENES.items()}


def test_every_scene_that_comes_again_adds_nothing(spark) -> None:
    rows = [row for n, (cells, _) in enumerate(SCENES.values()) for row in raw(n, cells)]
    first = resolve(spark, rows)
    held = first.where("outcome in ('kept', 'repaired')").select(*EVENTS.columns).persist()
    kept_back = first.where("outcome = 'quarantined'").selectExpr(
        "raw", "source_file", "line_id quarantine_id"
    )
    again = resolve(spark, rows, held, kept_back.persist()).collect()
    assert [row for row in again if row["outcome"] != "duplicate"] == []
    assert len(again) == len(rows)


def test_the_order_of_rows_in_the_file_does_not_matter(spark) -> None:
    rows = [row for n, (cells, _) in enumerate(SCENES.values()) for row in raw(n, cells)]
    # two rows without type in one instant are told apart by nothing but their position
    rows = [row for row in rows if list(SCENES)[row["session_id"]] != "a skip and a play, both without type"]
    shuffled = random.Random(5).sample(rows, len(rows))
    columns = ["outcome", "reason", "event_id"]
    assert sorted(resolve(spark, rows).select(columns).collect(), key=repr) == sorted(
        resolve(spark, shuffled).select(columns).collect(), key=repr
    )


def key(row):
    return tuple(row[name] for name in ("timestamp", "user_id", "track_id", "event_type", "session_id"))


def test_what_is_repaired_is_the_truth(spark, sample) -> None:
    """Fields of a real, sound delivery are blanked at random; each repaired event must be one of those."""
    with (sample / "sessions.jsonl").open() as file:
        truth = [json.loads(line) for line in file][:8000]
    dice = random.Random(1)
    rows, lost = [], []
    for row in truth:
        blank = [name for name in ("user_id", "track_id", "event_type") if dice.random() < 0.05]
        rows.append({**row, **dict.fromkeys(blank)})
        # an advert that loses its track is still whole
        if set(blank) - ({"track_id"} if row["event_type"] in ("ADVERTISEMENT", "BUY_PREMIUM") else set()):
            lost.append(row)
    resolved = resolve(spark, rows).where("outcome != 'kept'").collect()
    repaired = {
        (r["event_time"], r["user_id"], r["track_id"] or "", r["event_type"], r["session_id"])
        for r in resolved
        if r["outcome"] == "repaired"
    }
    wanted = {(datetime.fromisoformat(k[0]), *k[1:]) for k in map(key, lost)}
    assert len(resolved) == len(lost)
    assert repaired <= wanted
    assert len(repaired) > 0.6 * len(lost)


def test_silver_gives_context_to_a_session_that_goes_on(spark) -> None:
    first = raw(1, [(0, "PLAY", "a", 1)])
    held = spark.createDataFrame(resolve(spark, first).select(*EVENTS.columns).collect(), EVENTS.schema)
    (row,) = resolve(spark, raw(1, [(9, "LIKE", None, None)]), held).collect()
    assert (row["outcome"], row["track_id"], row["user_id"]) == ("repaired", "a", 1)

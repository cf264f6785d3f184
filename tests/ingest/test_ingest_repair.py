"""Repair, end to end: what the kernel decides becomes of the rows (see `test_ingest_repair_kernel`)."""

import json
import random
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from functools import cache

from deliveries import lines_of, usual_sessions
from grammars import FORMS, blanked, delivery
from pyspark.sql import DataFrame
from scenes import SCENES
from test_ingest_repair_kernel import fates, of_sessions, shown_by

from pozytywka_spark.ingest.contracts import SESSIONS
from pozytywka_spark.ingest.events import resolve_events
from pozytywka_spark.ingest.judging import judge_lines
from pozytywka_spark.ingest.repair import repair
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.kept import read_stored
from pozytywka_spark.schemas import EVENTS

T0 = datetime(2023, 1, 1)


def resolve(spark, rows, held=None, quarantine=None, *, grammar=True):
    """What becomes of the rows; `grammar`: where silver shows what is usual."""
    judged = kept(judge_lines(lines_of(spark, rows), SESSIONS, Judging(2**20)))
    held = held if held is not None else spark.createDataFrame([], EVENTS.schema)
    held = held.unionByName(usual_silver(spark)) if grammar else held
    return resolve_events(judged, held, quarantine, kept)


@cache
def usual_silver(spark):
    """`usual_sessions` as rows of silver."""
    rows = [
        (f"usual {n}", datetime.fromisoformat(r["timestamp"]), r["event_type"], r["user_id"], r["session_id"],
         r["track_id"] or None, False, None, date(2023, 2, 1))
        for n, r in enumerate(usual_sessions())
    ]  # fmt: skip
    return kept(spark.createDataFrame(rows, EVENTS.schema))


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


# two users of one session among so few would leave no session certain
ALONE = {name: cells for name, (cells, _) in SCENES.items() if name != "two users leave no answer"}


def test_scenes(spark) -> None:
    """Spark brings together what the kernel judges, and its verdicts to where they belong."""
    rows = [row for n, cells in enumerate(ALONE.values()) for row in raw(n, cells)]
    resolved = resolve(spark, rows).where("outcome != 'kept'").orderBy("source_order").collect()
    found = defaultdict(list)
    for row in resolved:
        session = json.loads(row["raw"])["session_id"] if row["raw"] else row["session_id"]
        event = (
            (None,) * 3
            if row["outcome"] == "quarantined"
            else (row["event_type"], row["track_id"], row["user_id"])
        )
        found[session].append((row["outcome"], row["reason"], *event))
    sessions = of_sessions([*rows, *usual_sessions()])
    grammar = shown_by(sessions.values())
    expected = {n: list(fates(sessions[n], repair(sessions[n], grammar))) for n in range(len(ALONE))}
    assert dict(found) == expected
    told = Counter(fate for session in expected.values() for fate, *_ in session)
    assert told["repaired"] > 12
    assert told["quarantined"] > 5
    assert told["duplicate"] > 0


def test_a_blanked_delivery_of_another_grammar(spark) -> None:
    truth = delivery(FORMS["adverts tied with the next event"], 5_000, seed=6)
    rows = [
        {
            "timestamp": (T0 + timedelta(milliseconds=time)).isoformat(),
            "user_id": user,
            "track_id": track,
            "event_type": kind,
            "session_id": session,
        }
        for session, time, kind, track, user in blanked(truth, 0.05, seed=7)
    ]
    resolved = resolve(spark, rows, grammar=False).where("outcome != 'kept'").collect()
    repaired = {
        (r["session_id"], r["event_time"], r["event_type"], r["track_id"] or "", r["user_id"])
        for r in resolved
        if r["outcome"] == "repaired"
    }
    assert repaired <= {(s, T0 + timedelta(milliseconds=t), *rest) for s, t, *rest in truth}
    assert len(repaired) == sum(r["outcome"] == "repaired" for r in resolved) > 0.7 * len(resolved)
    whys = {r["rule"].split(":")[0].split(";")[0] for r in resolved if r["outcome"] == "quarantined"}
    assert {"several types fit", "several tracks fit"} <= whys


def test_every_scene_that_comes_again_adds_nothing(spark) -> None:
    rows = [row for n, cells in enumerate(ALONE.values()) for row in raw(n, cells)]
    first = resolve(spark, rows)
    held = first.where("outcome in ('kept', 'repaired')").select(*EVENTS.columns).persist()
    kept_back = first.where("outcome = 'quarantined'").selectExpr(
        "raw", "source_file", "line_id quarantine_id"
    )
    again = resolve(spark, rows, held, kept_back.persist()).collect()
    assert [row for row in again if row["outcome"] != "duplicate"] == []
    assert len(again) == len(rows)


def test_the_order_of_rows_in_the_file_does_not_matter(spark) -> None:
    rows = [row for n, cells in enumerate(ALONE.values()) for row in raw(n, cells)]
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
    resolved = resolve(spark, rows, grammar=False).where("outcome != 'kept'").collect()
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

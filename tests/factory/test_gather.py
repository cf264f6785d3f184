"""What is known of a case at its cut-off: signals of its accounts, fouls told by then, its ring's score."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from pozytywka_spark.factory.gather_work import (
    BASE,
    PAST,
    SIGNALS,
    WANTED,
    ReadCases,
    ReadSignals,
    as_material,
)
from pozytywka_spark.factory.labels import Said
from pozytywka_spark.lake.shards import Shard
from tests.in_memory import MemoryFiles

DAY = 86_400_000_000
START = datetime(2024, 1, 1, tzinfo=UTC)
UTC_TIME = pl.Datetime("us", "UTC")


def at(number: float) -> datetime:
    return START + timedelta(days=number)


def case(name: str, users: list[int], number: int, ring: str | None = None, closes: int = 0) -> dict:
    cut_off = at(closes or number + 1)
    return {"case_id": name, "group": "rings" if ring else "pace", "accounts": users,
            "day": at(number).date(), "cut_off": cut_off, "opened_at": cut_off, "ring": ring}  # fmt: skip


CASES = [case("a", [1], 9), case("b", [1], 19), case("r", [2, 3], 30, "7", 31)]
SAID = [
    ("a", "Ann", "bad", at(11), "person"),
    ("b", "Ann", "ok", at(21), "person"),
    ("r", "chargeback", "bad", at(40), "chargeback"),
]
# user, case, released, recorded, cancelled
FOULS = [
    (1, "x", at(5), at(5), False),
    (1, "y", at(5), at(5), False),
    (1, "y", at(5), at(15), True),  # an appeal, after the cut-off of a and before that of b
    (1, "a", at(11), at(11), False),
    (1, "late", at(12), at(25), False),  # nobody knew yet
    (2, "z", at(5), at(5), False),
    (3, "z", at(5), at(5), False),
]


def gathered() -> tuple[dict[str, tuple[pl.DataFrame, list[str]]], MemoryFiles]:
    files = MemoryFiles()
    cases = files.put_file(
        pl.DataFrame(CASES, schema_overrides={"cut_off": UTC_TIME, "opened_at": UTC_TIME}), {}
    )
    verdicts = pl.DataFrame(
        SAID, schema=["case_id", "reviewer", "verdict", "decided_at", "source"], orient="row"
    )
    fouls = pl.DataFrame(
        FOULS, schema=["user_id", "case_id", "released_at", "recorded_at", "cancelled"], orient="row"
    )
    rings = pl.DataFrame(
        [(date(2024, 1, 1), "7", 2.0), (date(2024, 1, 1), "7", 4.0), (date(2024, 1, 1), "8", 9.0)],
        schema=["month", "ring", "score"],
        orient="row",
    )
    said = Said(
        (files.put_file(verdicts, {}),),
        (files.put_file(fouls, {}),),
        (files.put_file(rings, {}),),
        (),
        (),
        int(at(60).timestamp()) * 10**6,
    )
    told = list(ReadCases(said, None, labelled=True)([cases], files))
    assert told == [{"groups": {"pace": 2, "rings": 1}, "months": ["2024-01"]}]
    days = [(1, 9, 5.0), (1, 19, 6.0), (1, 20, 99.0), (2, 3, 1.0), (2, 4, 2.0), (3, 3, 9.0), (4, 3, 50.0)]
    signals = pl.DataFrame(
        [(user, at(number).date(), pace) for user, number, pace in days],
        schema=["user_id", "day", "pace"],
        orient="row",
    )
    shard = Shard("signals", {"month": date(2024, 1, 1)}, (files.put_file(signals, {}),))
    wanted = tuple(parcel for parcel in files.parcels if parcel.kind == WANTED)
    list(ReadSignals(wanted, ("pace",))([shard], files))
    base, known = files.staged(BASE), files.staged(SIGNALS)
    return {str(key[0]): as_material(base[key], known.get(key), ["pace"]) for key in base}, files


def test_signals_fouls_and_rings_as_of_the_cut_off() -> None:
    material, _ = gathered()
    pace, features = material["pace"]
    assert features == ["pace", "fouls_before"]
    rows = pace.sort("case_id").select("case_id", *features, "verdict").rows()
    assert rows == [("a", 5.0, 2.0, 1), ("b", 6.0, 2.0, 0)]
    rings, features = material["rings"]
    assert features == ["pace", "pace_max", "fouls_before", "ring_score"]
    assert rings.select("case_id", *features, "verdict").rows() == [("r", 4.0, 9.0, 2.0, 3.0, 1)]


def test_only_what_people_took_is_a_human_delay() -> None:
    _, files = gathered()
    past = files.staged(PAST)[()].select("group", "outcome", "delay").rows()
    assert sorted(past) == [("pace", 0, DAY), ("pace", 1, DAY)]

"""The ledger is exact: undoing what it lists gives the clean world, and every defect is as it says."""

import json
from collections import Counter

import pytest

from pozytywka_spark.config import Dirt
from pozytywka_spark.synthetic.parts import PARTS, parts_of
from pozytywka_spark.synthetic.plan import Plan
from tests.worlds.synthetic import TINY, planned

RATE = 0.05
ALL = Dirt(**dict.fromkeys(Dirt.model_fields, RATE))


def dirty(dirt: Dirt, seed: int = 7) -> Plan:
    plan = planned(TINY)
    return Plan(plan.world.model_copy(update={"dirt": dirt, "seed": seed}), level=plan.level)


@pytest.mark.thorough
@pytest.mark.parametrize("entity", PARTS)
@pytest.mark.parametrize("seed", [7, 8])
def test_undoing_the_ledger_gives_the_clean_world(entity: str, seed: int) -> None:
    clean, spoilt = dirty(Dirt(), seed), dirty(ALL, seed)
    for part in range(parts_of(clean, entity)):
        lines, planted = PARTS[entity](spoilt, part)
        written = lines.to_pylist()
        for line, was in zip(planted.line, planted.was, strict=True):
            written[line - 1] = was
        assert [line for line in written if line is not None] == PARTS[entity](clean, part)[0].to_pylist()


@pytest.mark.parametrize("entity", PARTS)
def test_every_listed_line_differs_and_no_other(entity: str) -> None:
    lines, planted = PARTS[entity](dirty(ALL), 0)
    clean = PARTS[entity](dirty(Dirt()), 0)[0].to_pylist()
    differing = {
        number + 1
        for number, (one, two) in enumerate(zip(lines.to_pylist(), clean, strict=False))
        if one != two
    }
    extra = set(range(len(clean) + 1, len(lines) + 1))
    assert set(planted.line) == differing | extra


def counts(entity: str) -> "Counter[str]":
    return Counter(PARTS[entity](dirty(ALL), 0)[1].defect)


def parsed(entity: str) -> list[dict[str, object]]:
    """What can be parsed of the dirty lines."""
    rows = []
    for line in PARTS[entity](dirty(ALL), 0)[0].to_pylist():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def test_sessions_are_as_the_ledger_says() -> None:
    rows, planted = parsed("sessions"), counts("sessions")
    total = len(PARTS["sessions"](dirty(ALL), 0)[0])
    assert total - len(rows) == planted["broken_json"]
    assert sum(row["user_id"] is None for row in rows) == planted["null_user_id"]
    assert sum(row["track_id"] is None for row in rows) == planted["null_track_id"]
    assert sum(row["event_type"] is None for row in rows) == planted["null_event_type"]
    assert sum(row["event_type"] == "advertisment" for row in rows) == planted["misspelt_advertisement"]
    lower = sum(str(row["event_type"]).islower() for row in rows if row["event_type"] != "advertisment")
    assert lower == planted["lower_case_event_type"]
    assert sum(isinstance(row["user_id"], str) for row in rows) == planted["wrong_type"]
    assert sum(row["track_id"] == "0UnknownTrack000000000" for row in rows) == planted["orphan_track"]
    same = Counter(json.dumps(row) for row in rows)
    assert sum(count - 1 for count in same.values()) == planted["duplicate_row"]
    assert all(planted[name] for name in ("orphan_user", "repeated_like", "bad_timestamp")), planted


def test_catalogues_and_users_are_as_the_ledger_says() -> None:
    users, artists, tracks, storage = (
        parsed(name) for name in ("users", "artists", "tracks", "track_storage")
    )
    assert sum(row["favourite_genres"] is None for row in users) == counts("users")["null_favourite_genres"]
    assert sum(row["premium_user"] is None for row in users) == counts("users")["null_premium_user"]
    assert sum(row.get("id") == -1 for row in users) == counts("users")["stray_id"]
    assert sum(row["id"] == -1 for row in artists) == counts("artists")["minus_one_id"]
    assert sum(row["genres"] is None for row in artists) == counts("artists")["null_genres"]
    planted = counts("tracks")
    assert sum(row["id"] is None for row in tracks) == planted["null_id"]
    assert sum(row["id"] == -1 for row in tracks) == planted["minus_one_id"]
    assert sum(row["id_artist"] is None for row in tracks) == planted["null_id_artist"]
    assert sum(row["tempo"] == 0 for row in tracks) == planted["zero_tempo"] + planted["zero_audio"]
    assert sum(row["loudness"] > 0 for row in tracks) == planted["loud"]  # type: ignore[operator]
    unknown = [row for row in storage if row["track_id"] == "0UnknownTrack000000000"]
    assert len(unknown) == counts("track_storage")["orphan_storage"]


def test_rates_are_the_rates_asked_for() -> None:
    rows = len(PARTS["sessions"](dirty(Dirt()), 0)[0])
    asked = Dirt(null_user_id=0.2, duplicate_row=0.1)
    planted = Counter(PARTS["sessions"](dirty(asked), 0)[1].defect)
    assert set(planted) == {"null_user_id", "duplicate_row"}
    # a little below: some rows are spared, so that two of them cannot come out alike
    assert 0.17 * rows < planted["null_user_id"] < 0.21 * rows
    assert 0.06 * rows < planted["duplicate_row"] < 0.11 * rows


@pytest.mark.thorough
def test_no_two_lines_come_out_alike_by_accident() -> None:
    """Few tracks, so that a skip and the play tied with it are often of the same one, and many nulls."""
    world = TINY.model_copy(update={"users": 200, "played_tracks": 50, "tracks": 150})
    nulls = Dirt(null_user_id=0.5, null_track_id=0.5, null_event_type=0.5)
    plan = planned(world.model_copy(update={"dirt": nulls}))
    written = PARTS["sessions"](plan, 0)[0].to_pylist()
    assert len(set(written)) == len(written) > 10_000


def test_a_null_user_can_be_told_from_the_session() -> None:
    """Sessions keep their one user whatever is planted."""
    seen: dict[object, set[object]] = {}
    for row in parsed("sessions"):
        if isinstance(row["user_id"], int):
            seen.setdefault(row["session_id"], set()).add(row["user_id"])
    assert all(len(users) == 1 for users in seen.values())

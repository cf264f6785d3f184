"""What the rows of each raw file mean, and which rules they break."""

import json
import math
from datetime import UTC, datetime

import pytest

from pozytywka_spark.ingest.validate.rules.verdict import Judging
from tests.ingest.rule_rows import EVENT, judged, silver, track

_SILENT = dict.fromkeys((name for name, value in track().items() if isinstance(value, float)), 0)
TRACKS = [
    (track(), None, 120.0, 0.5),
    (track(tempo=0), None, None, 0.5),
    (track(**_SILENT), None, None, None),
    (track(key=-1), None, 120.0, 0.5),
    (track(popularity=101), "popularity: from 0 to 100", 120.0, 0.5),
    (track(popularity=-1), "popularity: from 0 to 100", 120.0, 0.5),
    (track(duration_ms=0), "duration_ms: from 1 to 86400000", 120.0, 0.5),
    (track(energy=1.5), "energy: from 0 to 1", 120.0, 1.5),
    (track(energy=1), None, 120.0, 1.0),
    (track(loudness=3.1), None, 120.0, 0.5),
    (track(tempo=400.1), "tempo: from 0 to 400", 400.1, 0.5),
    (track(tempo=10**400), "tempo: from 0 to 400", math.inf, 0.5),
    (track(id=-1), "id: an identifier", 120.0, 0.5),
    (track(id=None), "id: an identifier", 120.0, 0.5),
    (track(id_artist=-1), None, 120.0, 0.5),
    (track(release_date="2011-02-30"), "release_date: YYYY, YYYY-MM or YYYY-MM-DD", 120.0, 0.5),
    (track(explicit=2), "explicit: from 0 to 1", 120.0, 0.5),
    # no JSON, so nothing of the row can be told
    (track(loudness=math.inf), "one JSON object a line; no JSON: a bare Infinity", None, None),
    (track(tempo=math.nan), "one JSON object a line; no JSON: a bare NaN", None, None),
]


@pytest.mark.parametrize(("row", "rule", "tempo", "energy"), TRACKS)
def test_tracks_out_of_range_are_rejected_and_unknown_audio_is_null(row, rule, tempo, energy) -> None:
    columns, found = silver("tracks", row)
    assert (found.rule, columns["tempo"], columns["energy"]) == (rule, tempo, energy)
    assert (found.reason is None) == (rule is None)
    codes = {"id": "missing_id", "release_date": "bad_date", "one JSON object a line; no JSON": "malformed"}
    assert rule is None or found.reason == codes.get(rule.split(":")[0], "out_of_range")


def test_events_that_break_the_contract() -> None:
    rows = [
        (EVENT, None),
        (EVENT | {"event_type": "pause"}, "unknown_event_type"),
        (EVENT | {"timestamp": "2023-02-30T00:00:00"}, "bad_timestamp"),
        (EVENT | {"timestamp": None}, "bad_timestamp"),
        (EVENT | {"timestamp": "1970-01-01T00:00:00"}, "out_of_range"),
        (EVENT | {"timestamp": "2100-01-01T00:00:00"}, "out_of_range"),
        (EVENT | {"session_id": -1}, "missing_session_id"),
        (EVENT | {"event_type": "BUY_PREMIUM"}, "unexpected_track"),
        (EVENT | {"event_type": "BUY_PREMIUM", "track_id": ""}, None),
        (EVENT | {"event_type": "BUY_PREMIUM", "track_id": "null"}, None),
        (EVENT | {"user_id": None, "track_id": None, "event_type": None}, None),
    ]
    assert [judged("sessions", row).reason for row, _ in rows] == [reason for _, reason in rows]
    # "" says that there is no track, a missing one says nothing
    says = [
        silver("sessions", EVENT | {"track_id": raw})[0]["no_track"] for raw in ("", None, " ", "null", "t")
    ]
    assert says == [True, False, False, False, False]


def test_an_event_after_the_limit_lies_in_the_future() -> None:
    limit = Judging(2**20, datetime(2023, 1, 3, 5, 9, 55, 5, tzinfo=UTC))
    told = [
        ("2023-01-03T05:09:55", None),
        ("2023-01-03T05:09:55.000005", None),
        ("2023-01-03T05:09:55.000006", "in_the_future"),
        ("2023-01-03T06:09:55+01:00", None),
        ("2023-01-03T05:09:55-00:01", "in_the_future"),
        ("2031-01-03T05:09:55", "in_the_future"),
        ("2100-01-03T05:09:55", "out_of_range"),
    ]
    assert [judged("sessions", EVENT | {"timestamp": t}, limit).reason for t, _ in told] == [
        r for _, r in told
    ]
    rule = "timestamp: not after 2023-01-03T05:09:55, the time of the ingest and ingest.future_days"
    assert judged("sessions", EVENT | {"timestamp": "2031-01-01T00:00:00"}, limit).rule == rule


def test_only_rows_in_doubt_carry_their_text() -> None:
    rows = [EVENT, EVENT | {"user_id": None}, EVENT | {"event_type": "x"}, EVENT | {"event_type": "skip"},
            EVENT | {"event_type": "SKIP", "track_id": None}]  # fmt: skip
    found = [judged("sessions", row) for row in rows]
    assert [(v.raw is not None, v.line_id is not None) for v in found] == [
        (False, False), (True, True), (True, True), (False, False), (True, True)]  # fmt: skip


def test_storage_classes() -> None:
    row = {"track_id": "t", "storage_class": "slow", "daily_cost": 0.1}
    rows = [row, row | {"storage_class": "ICE"}, row | {"storage_class": None}, row | {"daily_cost": -1},
            row | {"daily_cost": 1_000_000.5}, row | {"storage_class": " Fast "}]  # fmt: skip
    found = [silver("track_storage", each) for each in rows]
    assert [(columns["storage_class"], verdict.reason) for columns, verdict in found] == [
        ("SLOW", None), ("ICE", "unknown_storage_class"), (None, "unknown_storage_class"),
        ("SLOW", "out_of_range"), ("SLOW", "out_of_range"), ("FAST", None),
    ]  # fmt: skip
    assert found[1][1].rule == "storage_class: one of SLOW, MEDIUM, FAST"


def test_rejected_users_keep_no_name_and_no_street() -> None:
    secret, place = "Zdzisława", "Ogrodowa"
    sound = {"user_id": 1, "name": secret, "city": "Radom", "street": f"ul. {place} 5",
             "favourite_genres": ["folk"], "premium_user": True}  # fmt: skip
    text = json.dumps(sound, ensure_ascii=False)
    rows = [
        sound | {"user_id": -1},
        sound | {"user_id": secret},
        sound | {"city": {"street": place}, "user_id": None},
        sound | {"city": f"ul. {place} 5", "user_id": None},
        sound | {"favourite_genres": {"name": secret}},
        sound | {"premium_user": secret},
        sound | {"full name": secret, "user_id": None},
        sound | {"full name": {"first": secret}},
        f'{{"user_id": 5, "name": "{secret}", "street": "{place}',
        f"{secret} {place}",
        f"{text[:-1]}, \"name\": \"{secret}\"}}",
        f"{text[:-1]}, \"{secret}\": 1, \"{secret}\": 2}}",
        f"{text}, {text}",
        f"{secret}: {text}",
    ]  # fmt: skip
    found = [judged("users", row) for row in rows]
    told = " ".join(str((v.raw, v.rule, v.rescued)) for v in found)
    assert secret not in told
    assert place not in told
    assert found[0].raw == (
        '{"user_id":-1,"city":"Radom","favourite_genres":["folk"],"premium_user":true,"name":"***","street":"***"}'
    )
    assert found[7].rescued == '{"full name":"***"}'
    assert found[9].raw == "********* ********"
    assert found[10].rule == "each key once; twice: name"
    assert found[11].rule == "each key once; twice: a key that the contract doesn't know"
    # what is stored is judged again as it was: no row comes back with one of two values, or a mask for a city
    assert [judged("users", v.raw).reason for v in found if v.reason] == [v.reason for v in found if v.reason]
    assert [v.reason for v in found[10:]] == ["duplicate_key", "duplicate_key", "malformed", "malformed"]

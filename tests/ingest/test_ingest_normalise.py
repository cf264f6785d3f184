"""From raw values to silver ones: each literal beside what it becomes."""

from datetime import date, datetime

import pytest
from deliveries import lines_of, sessions
from pyspark.sql import functions as F

from pozytywka_spark.ingest import normalise as n
from pozytywka_spark.ingest.contracts import CONTRACTS, SESSIONS, TRACK_STORAGE, TRACKS, USERS
from pozytywka_spark.ingest.lines import parse

CASES = {
    "event_type": [("PLAY", "PLAY"), ("play", "PLAY"), (" Skip ", "SKIP"), ("advertisment", "ADVERTISEMENT"),
                   ("Advertisement", "ADVERTISEMENT"), ("", None), (None, None), ("PAUSE", "PAUSE")],
    "event_time": [("2023-01-03T05:09:55", datetime(2023, 1, 3, 5, 9, 55)),
                   ("2023-01-03T05:14:02.707000", datetime(2023, 1, 3, 5, 14, 2, 707000)),
                   ("2023-01-03 05:14:02.7", datetime(2023, 1, 3, 5, 14, 2, 700000)),
                   ("2023-02-30T00:00:00", None), ("2023-01-03T25:61:00", None), ("2023-01-03", None),
                   ("T05:09:55.000000000", None), ("12345-01-03T05:09:55", None), ("1672722595", None),
                   ("", None), (None, None)],
    "release_date": [("2011-05-06", date(2011, 5, 6)), ("2011-05", date(2011, 5, 1)),
                     ("2011", date(2011, 1, 1)),
                     ("2023-02-30", None), ("2011-13", None), ("11", None), ("", None), (None, None)],
    "release_precision": [("2011-05-06", "day"), ("2011-05", "month"), ("2011", "year"), (None, None)],
    "text_id": [("a", "a"), ("", None), ("-1", None), (None, None)],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values(spark, name) -> None:
    df = spark.createDataFrame([(i, raw) for i, (raw, _) in enumerate(CASES[name])], "i int, odd string")
    found = df.orderBy("i").select(getattr(n, name)(F.col("odd"))).collect()
    assert [row[0] for row in found] == [expected for _, expected in CASES[name]]


def test_numbers_that_stand_for_nothing(spark) -> None:
    df = spark.createDataFrame([(-1,), (0,), (5,), (None,)], "odd bigint")
    assert [r[0] for r in df.select(n.number_id(F.col("odd"))).collect()] == [None, 0, 5, None]


def judged(spark, contract, rows):
    return n.judge(parse(lines_of(spark, rows), contract, 2**20), contract).orderBy("source_order")


def track(**changes):
    audio = dict.fromkeys(("danceability", "energy", "speechiness", "acousticness", "instrumentalness",
                           "liveness", "valence"), 0.5) | {"loudness": -7.0, "tempo": 120.0}  # fmt: skip
    return {"id": "t", "name": "n", "popularity": 1, "duration_ms": 1000, "explicit": 1, "id_artist": "a",
            "release_date": "2011-01", "key": 3, **audio, **changes}  # fmt: skip


def test_tracks_out_of_range_are_rejected_and_unknown_audio_is_null(spark) -> None:
    silent = dict.fromkeys((f for f in track() if isinstance(track()[f], float)), 0)
    rows = [
        (track(), None, 120.0, 0.5),
        (track(tempo=0), None, None, 0.5),
        (track(**silent), None, None, None),
        (track(key=-1), None, 120.0, 0.5),
        (track(popularity=101), "out_of_range", 120.0, 0.5),
        (track(popularity=-1), "out_of_range", 120.0, 0.5),
        (track(duration_ms=0), "out_of_range", 120.0, 0.5),
        (track(energy=1.5), "out_of_range", 120.0, 1.5),
        (track(loudness=3.1), None, 120.0, 0.5),
        (track(loudness=float("inf")), "out_of_range", 120.0, 0.5),
        (track(tempo=float("nan")), "out_of_range", float("nan"), 0.5),
        (track(id=-1), "missing_id", 120.0, 0.5),
        (track(id=None), "missing_id", 120.0, 0.5),
        (track(id_artist=-1), None, 120.0, 0.5),
        (track(release_date="2011-02-30"), "bad_date", 120.0, 0.5),
        (track(explicit=2), "out_of_range", 120.0, 0.5),
    ]
    found = judged(spark, TRACKS, [row for row, *_ in rows]).select("reason", "tempo", "energy").collect()
    assert repr([tuple(row) for row in found]) == repr([tuple(expected) for _, *expected in rows])


def test_events_that_break_the_contract(spark) -> None:
    sound = sessions(1)[0]
    rows = [
        (sound, None),
        (sound | {"event_type": "pause"}, "unknown_event_type"),
        (sound | {"timestamp": "2023-02-30T00:00:00"}, "bad_timestamp"),
        (sound | {"timestamp": None}, "bad_timestamp"),
        (sound | {"timestamp": "1970-01-01T00:00:00"}, "out_of_range"),
        (sound | {"timestamp": "2100-01-01T00:00:00"}, "out_of_range"),
        (sound | {"session_id": -1}, "missing_session_id"),
        (sound | {"event_type": "BUY_PREMIUM"}, "unexpected_track"),
        (sound | {"event_type": "BUY_PREMIUM", "track_id": ""}, None),
        (sound | {"user_id": None, "track_id": None, "event_type": None}, None),
    ]
    found = [row[0] for row in judged(spark, SESSIONS, [r for r, _ in rows]).select("reason").collect()]
    assert found == [reason for _, reason in rows]


def test_only_rows_in_doubt_carry_their_text(spark) -> None:
    sound = sessions(1)[0]
    rows = [sound, sound | {"user_id": None}, sound | {"event_type": "x"}]
    found = judged(spark, SESSIONS, rows).select("raw", "line_id").collect()
    assert [(r["raw"] is not None, r["line_id"] is not None) for r in found] == [
        (False, False), (True, True), (True, True)]  # fmt: skip


def test_storage_classes(spark) -> None:
    row = {"track_id": "t", "storage_class": "slow", "daily_cost": 0.1}
    rows = [row, row | {"storage_class": "ICE"}, row | {"storage_class": None}, row | {"daily_cost": -1}]
    found = judged(spark, TRACK_STORAGE, rows).select("storage_class", "reason").collect()
    assert [tuple(r) for r in found] == [
        ("SLOW", None), ("ICE", "unknown_storage_class"), (None, "unknown_storage_class"),
        ("SLOW", "out_of_range"),
    ]  # fmt: skip


def test_rejected_users_keep_no_name_and_no_street(spark) -> None:
    secret, place = "Zdzisława", "Ogrodowa"
    sound = {"user_id": 1, "name": secret, "city": "Radom", "street": f"ul. {place} 5",
             "favourite_genres": ["folk"], "premium_user": True}  # fmt: skip
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
    ]
    found = judged(spark, USERS, rows).select("raw", "rescued").collect()
    told = " ".join(str(value) for row in found for value in row)
    assert secret not in told
    assert place not in told
    assert found[0]["raw"] == (
        '{"user_id":-1,"city":"Radom","favourite_genres":["folk"],"premium_user":true,"name":"***","street":"***"}'
    )
    assert found[7]["rescued"] == '{"full name":"***"}'
    assert found[9]["raw"] == "********* ********"


def test_every_column_of_a_table_has_a_meaning(spark) -> None:
    later = {"event_id", "repaired", "repair_reason", "event_month"}
    for contract in CONTRACTS:
        assert set(contract.table.columns) - set(n.meaning_of(contract).columns) <= later

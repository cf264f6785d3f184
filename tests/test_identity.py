"""The stated hashes of events: literal vectors, the same in plain Python, Polars, Spark and DuckDB."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.hashing import identity, identity_spark
from pozytywka_spark.hashing.event_texts import BLOCK, END, LONGEST, md5_of
from pozytywka_spark.names import EVENT_TYPES

TRACK = "5vxyzABCDEF0123456789a"
# time, type, user, session, track and the event's id
EVENTS = [
    ("2023-01-03T05:09:55", "PLAY", 101, 7, TRACK, "4b322c16dcdcf1640eb723ceba07d9b2"),
    ("2023-01-03T05:09:55", "SKIP", 101, 7, TRACK, "7c2d65a4b6bb5811f8c8dde70320a28f"),
    ("2023-01-03T05:14:02.707000", "LIKE", 101, 7, TRACK, "44d0cd23b0b041596f5acb4569308079"),
    ("2023-01-03T05:14:02.707001", "LIKE", 101, 7, TRACK, "d02d1f8b8e014505cb75b769d236f4e3"),
    ("2023-01-03T05:14:02.707", "ADVERTISEMENT", 101, 7, None, "0fc698617f3345161f3e30b498a5e93a"),
    ("2023-01-03T05:14:02.707", "BUY_PREMIUM", 101, 7, None, "db4a06968c0b06e6c6a771a1e3f32297"),
    ("2000-01-01T00:00:00", "PLAY", 0, 0, "t", "e745652d266a801635427a654d6bd4c4"),
    ("2000-01-01T00:00:00.000001", "PLAY", 1, 1, "t", "c7c3c55b9a902bab90a3f88dcdbde907"),
    ("1969-12-31T23:59:59.999999", "PLAY", 1, 1, "t", "f338b1945c098480f8412e2f12c76118"),
    ("2024-02-29T23:59:59.999999", "PLAY", 2**31 - 2, 124, "zażółć gęślą jaźń",
     "0c6c3a3e57a1843b11995e0ab9dcb8ad"),
    ("2024-02-29T23:59:59.999999", "PLAY", 2**31 - 1, 124, "音楽", "f806aae3c9dba4171efe833f50668600"),
    ("2024-02-29T23:59:59.999999", "PLAY", 2**31, 124, "🎵|🎶", "e48b79c43027ebb0ccf81d773bcbe1f9"),
    ("2099-12-31T12:00:00", "SKIP", 2**53 + 1, 2**53 + 1, "e\u0301", "858fff2f5c81da5e9b692505d8379f1f"),
    ("2099-12-31T12:00:00", "SKIP", 2**63 - 1, 2**63 - 1, "\u00e9", "04c8e17d459b85ab9773d3d4a8761bdc"),
    ("2022-07-01T00:00:00.5", "PLAY", 3, 4, " padded ", "14a377e372bbee714af3e716a214500e"),
    ("2022-07-01T00:00:00.5", "PLAY", 3, 4, '"\\\t', "c537d2d26260115e645c1030a1d69e1f"),
]  # fmt: skip
BUCKETS = (1, 2, 3, 16, 1000)
# user and the bucket in each of these numbers of buckets
USERS = {
    0: (0, 0, 0, 0, 0),
    1: (0, 1, 2, 5, 253),
    2: (0, 1, 0, 11, 859),
    101: (0, 0, 0, 14, 558),
    20_000: (0, 1, 0, 15, 287),
    2**31 - 2: (0, 0, 2, 10, 394),
    2**31 - 1: (0, 0, 0, 0, 0),
    2**31: (0, 1, 2, 5, 253),
    2**53 + 1: (0, 0, 2, 10, 42),
    2**63 - 1: (0, 1, 2, 5, 253),
}
IDS = [event[-1] for event in EVENTS]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rows() -> list[tuple[datetime, str, int, int, str | None]]:
    return [(at(time), kind, user, session, track) for time, kind, user, session, track, _ in EVENTS]


def test_ids_in_plain_python() -> None:
    def plain(time: datetime, kind: str, user: int, session: int, track: str | None) -> str:
        micros = (time - EPOCH) // timedelta(microseconds=1)
        return hashlib.md5(f"{micros}|{kind}|{user}|{session}|{track or ''}".encode()).hexdigest()

    assert [plain(*row) for row in rows()] == IDS


def as_frame(events: Sequence[tuple[datetime, str, int, int, str | None]]) -> pl.DataFrame:
    names = ("event_time", "event_type", "user_id", "session_id", "track_id")
    columns = dict(zip(names, map(list, zip(*events, strict=True)), strict=True))
    return pl.DataFrame(columns, schema_overrides={"event_time": pl.Datetime("us", "UTC")})


@pytest.mark.parametrize("at_once", [1, 3, 5, len(EVENTS), 16_384])
def test_ids_in_polars(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_AT_ONCE", at_once)
    frame = as_frame(rows())
    found = identity.event_ids(frame)
    assert found.dtype == pl.Binary
    assert [value.hex() for value in found] == IDS
    assert identity.event_ids(frame.clear()).to_list() == []


def test_digests_of_texts_of_every_length_are_md5() -> None:
    texts = [bytes((place * 7 + length) % 256 for place in range(length)) for length in range(LONGEST + 1)]
    padded = np.zeros((len(texts), BLOCK), np.uint8)
    for row, text in zip(padded, texts, strict=True):
        row[: len(text) + 1] = [*text, END]
    found = md5_of(padded, np.arange(len(texts)))
    assert [row.tobytes() for row in found] == [hashlib.md5(text).digest() for text in texts]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(-(10**15), 2 * 10**16), st.integers(10**15 - 2, 10**15 + 2)),
            st.sampled_from([*EVENT_TYPES, "OTHER"]),
            st.one_of(*(st.integers(0, 10**digits) for digits in (1, 3, 7, 8, 18))),
            st.one_of(*(st.integers(0, 10**digits) for digits in (1, 5, 8, 9, 18))),
            st.one_of(st.none(), st.text(max_size=3), st.text(min_size=18, max_size=26), st.just("t" * 22)),
        ),
        min_size=1,
    )
)
def test_ids_of_any_events_are_those_of_their_texts(
    events: list[tuple[int, str, int, int, str | None]],
) -> None:
    """Whatever is made of columns at once, and whatever isn't."""
    texts = [
        f"{micros}|{kind}|{user}|{session}|{track or ''}" for micros, kind, user, session, track in events
    ]
    columns = pl.DataFrame(
        events, pl.Schema(dict.fromkeys("abcd", pl.Int64)) | {"b": pl.String, "e": pl.String}, orient="row"
    )
    frame = columns.select(
        pl.col("a").cast(pl.Datetime("us", "UTC")).alias("event_time"),
        event_type="b",
        user_id="c",
        session_id="d",
        track_id="e",
    )
    expected = [hashlib.md5(text.encode()).digest() for text in texts]
    assert identity.event_ids(frame).to_list() == expected
    assert identity.event_ids(pl.concat([frame, frame]).tail(-1)).to_list() == [*expected[1:], *expected]


def test_ids_and_buckets_in_duckdb() -> None:
    connection = duckdb.connect()
    connection.execute(
        "create table e (place int, event_time timestamp, event_type text, user_id bigint, "
        "session_id bigint, track_id text)"
    )
    values = [(place, row[0].replace(tzinfo=None), *row[1:]) for place, row in enumerate(rows())]
    connection.executemany("insert into e values (?, ?, ?, ?, ?, ?)", values)
    text = "concat_ws('|', epoch_us(event_time), event_type, user_id, session_id, ifnull(track_id, ''))"
    found = connection.execute(f"select unhex(md5({text})) from e order by place").fetchall()
    assert [value.hex() for (value,) in found] == IDS
    connection.execute("create table u (user_id bigint)")
    connection.executemany("insert into u values (?)", [(user,) for user in USERS])
    of = [f"user_id % 2147483647 * 1812433253 % 2147483647 % {buckets}" for buckets in BUCKETS]
    told = connection.execute(f"select user_id, {', '.join(of)} from u").fetchall()
    assert {user: tuple(found) for user, *found in told} == USERS


def test_ids_and_buckets_in_spark(spark: SparkSession) -> None:
    """Under ANSI, where an overflow would be an error; the texts are those that identity.py states."""
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
    ddl = (
        "place int, event_time timestamp, event_type string, user_id bigint, session_id bigint, "
        "track_id string"
    )
    events = spark.createDataFrame([(place, *row) for place, row in enumerate(rows())], ddl)
    stated = F.expr(
        "unhex(md5(concat_ws('|', unix_micros(event_time), event_type, user_id, session_id, "
        "ifnull(track_id, ''))))"
    )
    found = events.select("place", identity_spark.event_id().alias("ours"), stated.alias("stated")).collect()
    for row, expected in zip(sorted(found), IDS, strict=True):
        assert (bytes(row["ours"]).hex(), bytes(row["stated"]).hex()) == (expected, expected)
    users = spark.createDataFrame([(user,) for user in USERS], "user_id bigint")
    ours = [identity_spark.user_bucket(buckets) for buckets in BUCKETS]
    texts = [F.expr(f"user_id % 2147483647 * 1812433253 % 2147483647 % {buckets}") for buckets in BUCKETS]
    told = users.select("user_id", F.array(*ours), F.array(*texts)).collect()
    assert {row[0]: tuple(row[1]) for row in told} == USERS
    assert {row[0]: tuple(row[2]) for row in told} == USERS


def test_buckets_in_polars_and_plain_python() -> None:
    frame = pl.DataFrame({"user_id": list(USERS)}, schema={"user_id": pl.Int64})
    told = frame.select(
        identity.user_bucket(pl.col("user_id"), buckets).alias(str(buckets)) for buckets in BUCKETS
    )
    assert set(told.dtypes) == {pl.Int32}
    assert dict(zip(USERS, told.rows(), strict=True)) == USERS
    plain = {user: tuple(user % 2147483647 * 1812433253 % 2147483647 % n for n in BUCKETS) for user in USERS}
    assert plain == USERS


@pytest.mark.thorough
@pytest.mark.parametrize("buckets", [2, 3, 4, 8, 16, 32, 64])
def test_users_spread_evenly_whatever_the_step_between_their_ids(buckets: int) -> None:
    """No statistic of 20,000 users is worse than chance allows, and no bucket a quarter too full."""
    for step in (*range(1, 257), 1000, 1024, 4096):
        assert heaviest(range(0, 20_000 * step, step), buckets) < 1.25, step
    for first in (0, 1_000_000, 2**31 - 10_000, 2**53):
        assert heaviest(range(first, first + 20_000), buckets) < 1.05, first
    for step in (1, 2, 4, 8, 16, 1000):
        statistic = chi_square(range(0, 20_000 * step, step), buckets)
        assert statistic < (buckets - 1) + 4 * (2 * (buckets - 1)) ** 0.5, step


def counted(users: Iterable[int], buckets: int) -> Counter[int]:
    frame = pl.DataFrame({"user_id": pl.Series(users, dtype=pl.Int64)})
    found = frame.select(identity.user_bucket(pl.col("user_id"), buckets)).to_series().value_counts()
    return Counter(dict(found.iter_rows()))


def heaviest(users: range, buckets: int) -> float:
    return max(counted(users, buckets).values()) * buckets / len(users)


def chi_square(users: range, buckets: int) -> float:
    even, found = len(users) / buckets, counted(users, buckets)
    return sum((found[bucket] - even) ** 2 / even for bucket in range(buckets))

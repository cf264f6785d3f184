"""The client's answers: which rows hold as of when, in which columns, and what it is light enough for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.errors import StoreError
from pozytywka_spark.featurestore import client as client_module
from pozytywka_spark.featurestore.client import FeatureClient, UnknownNameError, micros
from pozytywka_spark.featurestore.codec import Schema
from pozytywka_spark.featurestore.packing import pack_frame
from pozytywka_spark.featurestore.record import DAY, SERVICES
from pozytywka_spark.featurestore.stores import Store, open_store
from tests.featurestore.stored import APRIL, MAY, MIXED, MONTHS, PROFILES, PROMPT, SCORES, put


@pytest.fixture(params=["lmdb", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    address = (
        request.getfixturevalue("redis_address") if request.param == "redis" else f"lmdb:{tmp_path / 'store'}"
    )
    with open_store(address, create=True) as opened:
        rows = {"key": ["1", "2"], "known_at": [MAY, APRIL], "version": [9, 8]}
        put(opened, MONTHS, rows | {"plays": [10.0, 20.0], "skips": [None, float("nan")]})
        put(opened, SCORES, {"key": ["1"], "known_at": [MAY], "version": [4], "probability": [0.25]})
        put(opened, PROFILES, {"key": ["t/1"], "known_at": [0], "version": [2], "tempo": [120.0]})
        opened.set_note(SERVICES, {each.service: each.plain() for each in (PROMPT, MIXED)})
        yield opened


@pytest.fixture
def client(store: Store) -> Iterator[FeatureClient]:
    with FeatureClient.open(store.address) as opened:
        yield opened


def test_rows_of_keys_in_the_order_asked_for(client: FeatureClient) -> None:
    answer = client.get("user_month", [2, "1", 3])
    assert answer.names == ("plays", "skips")
    assert answer.status.tolist() == ["present", "present", "missing"]
    assert answer.values.dtype == np.float64
    np.testing.assert_array_equal(answer.values, [[20.0, np.nan], [10.0, np.nan], [np.nan, np.nan]])
    assert answer.nulls.tolist() == [[False, False], [False, True], [True, True]]
    assert answer.known_at.tolist() == [APRIL, MAY, 0]
    assert answer.version.tolist() == [8, 9, 0]
    assert answer.as_of == MAY


def test_a_null_is_neither_missing_nor_expired(client: FeatureClient) -> None:
    answer = client.get("user_month", [1], columns=["skips"])
    assert (answer.status[0], answer.nulls.tolist()) == ("present", [[True]])


@pytest.mark.parametrize(
    ("as_of", "status"),
    [
        (APRIL - 1, "missing"),
        (APRIL, "present"),
        (APRIL + 62 * DAY - 1, "present"),
        (APRIL + 62 * DAY, "expired"),
        (2**62, "expired"),
        (-(2**62), "missing"),
    ],
)
def test_a_row_holds_from_its_moment_to_the_end_of_its_time(
    client: FeatureClient, as_of: int, status: str
) -> None:
    answer = client.get("user_month", [2], as_of=as_of)
    assert answer.status.tolist() == [status]
    assert np.isnan(answer.values[0, 0]) == (status != "present")
    assert answer.known_at.tolist() == [0 if status == "missing" else APRIL]
    assert answer.version.tolist() == [0 if status == "missing" else 8]


@given(st.integers(-5, 5), st.integers(-5, 5) | st.none(), st.integers(1, 4) | st.none())
def test_statuses_are_the_stated_rule(known_at: int, as_of: int | None, ttl: int | None) -> None:
    record = replace(PROFILES, ttl=ttl, newest=2)
    schema = Schema(record.view, record.columns)
    value = pack_frame(
        schema, pl.DataFrame({"key": ["1"], "known_at": [known_at], "version": [1], "tempo": [1.0]})
    ).values
    rows = client_module.unpack([*value, None], {schema.id: schema}, record.columns)
    answer = client_module._as_of(rows, record, as_of)
    moment = max(2, known_at) if as_of is None else as_of
    held = ttl is None or moment - known_at < ttl
    expected = "missing" if known_at > moment else "present" if held else "expired"
    assert answer.status.tolist() == [expected, "missing"]
    assert answer.as_of == moment


def test_moments_may_be_times(client: FeatureClient) -> None:
    warsaw = timezone(timedelta(hours=2))
    for moment in (
        datetime(2023, 4, 1),
        datetime(2023, 4, 1, tzinfo=UTC),
        datetime(2023, 4, 1, 2, tzinfo=warsaw),
    ):
        assert client.get("user_month", [1, 2], as_of=moment).status.tolist() == ["missing", "present"]


def test_by_the_wall_clock_rows_of_years_ago_have_expired(store: Store, client: FeatureClient) -> None:
    store.set_meta("user_month", replace(MONTHS, clock="wall").plain(), 1)
    client._views.clear()
    assert client.get("user_month", [1, 2, 3]).status.tolist() == ["expired", "expired", "missing"]


def test_a_snapshot_without_an_end_is_always_there(client: FeatureClient) -> None:
    answer = client.get("track_profile", ["t/1"])
    assert answer.status.tolist() == ["present"]
    assert answer.values.tolist() == [[120.0]]
    assert client.get("track_profile", ["t/1"], as_of=10**18).status.tolist() == ["present"]


def test_a_service_reads_several_views_in_its_order(client: FeatureClient) -> None:
    answer = client.read("mixed", [1, 2, 3])
    assert answer.names == ("skips", "probability", "plays")
    np.testing.assert_array_equal(answer.values[:, 1:], [[0.25, 10.0], [np.nan, 20.0], [np.nan, np.nan]])
    assert answer.nulls[:, 0].tolist() == [True, False, True]
    assert answer.status.tolist() == ["present", "missing", "missing"]
    assert answer.by_view["user_month"].status.tolist() == ["present", "present", "missing"]
    assert answer.by_view["user_score"].known_at.tolist() == [MAY, 0, 0]
    assert client.read("prompt", [1]).names == ("probability", "skips")


def test_nobody_asked_for(client: FeatureClient) -> None:
    assert client.get("user_month", []).values.shape == (0, 2)
    assert client.read("mixed", []).values.shape == (0, 3)


def test_names_that_are_not_there(client: FeatureClient) -> None:
    with pytest.raises(UnknownNameError, match=r"no view users in .*: there are track_profile, user_mo"):
        client.get("users", [1])
    with pytest.raises(UnknownNameError, match="view user_month has no column age: it has plays, skips"):
        client.get("user_month", [1], columns=["plays", "age"])
    with pytest.raises(UnknownNameError, match="no service other: there are mixed, prompt"):
        client.read("other", [1])


def test_what_there_is(client: FeatureClient) -> None:
    assert client.views() == {"track_profile": PROFILES, "user_month": MONTHS, "user_score": SCORES}
    assert client.services() == {"mixed": MIXED, "prompt": PROMPT}
    assert client.view("user_month") == MONTHS
    client.ping()


def test_a_schema_that_comes_while_the_client_is_open(store: Store, client: FeatureClient) -> None:
    """Its values are read as they come; the record, which is written last, brings its columns."""
    client.get("user_month", [1])
    wider = replace(MONTHS, columns=("plays", "likes", "skips"))
    schema = Schema(wider.view, wider.columns)
    rows = {"key": ["1"], "known_at": [MAY], "version": [10], "plays": [1.0], "likes": [2.0], "skips": [3.0]}
    epoch = store.begin(wider.view)
    store.declare(schema, epoch)
    packed = pack_frame(schema, pl.DataFrame(rows))
    store.write_many(wider.view, packed.keys, packed.values, epoch)
    answer = client.get("user_month", [1, 2])
    assert answer.names == MONTHS.columns
    assert answer.values[:, 0].tolist() == [1.0, 20.0]
    store.set_meta(wider.view, wider.plain(), epoch)
    client._views.clear()  # seconds later
    answer = client.get("user_month", [1, 2])
    assert answer.names == wider.columns
    assert answer.nulls.tolist() == [[False] * 3, [False, True, False]]


def test_a_value_of_a_schema_that_nobody_declared_is_refused(store: Store, client: FeatureClient) -> None:
    stranger = Schema("user_month", ("x",))
    rows = pl.DataFrame({"key": ["7"], "known_at": [MAY], "version": [1], "x": [1.0]})
    packed = pack_frame(stranger, rows)
    store.write_many("user_month", packed.keys, packed.values, 1)
    with pytest.raises(StoreError, match="schema that it doesn't name"):
        client.get("user_month", [1, 7])
    assert client.get("user_month", [1]).status.tolist() == ["present"]


def test_a_row_written_before_the_record_says_so_is_not_of_the_future(
    store: Store, client: FeatureClient
) -> None:
    june = micros(datetime(2023, 6, 1))
    schema = Schema(MONTHS.view, MONTHS.columns)
    rows = {"key": ["1"], "known_at": [june], "version": [10], "plays": [1.0], "skips": [3.0]}
    packed = pack_frame(schema, pl.DataFrame(rows))
    store.write_many("user_month", packed.keys, packed.values, 1)
    answer = client.get("user_month", [1, 2])
    assert answer.as_of == june
    assert answer.status.tolist() == ["present", "present"]


def test_a_record_of_another_release_is_refused(store: Store, client: FeatureClient) -> None:
    store.set_meta("user_month", MONTHS.plain() | {"colour": "red"}, 1)
    with pytest.raises(StoreError, match="unknown: colour"):
        client.get("user_month", [1])


def test_a_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(client_module, "open_store", lambda address, **named: asked.append(named["password"]))
    monkeypatch.setenv("POZYTYWKA_REDIS_PASSWORD", "pst")
    FeatureClient.open("redis://h/0")
    FeatureClient.open("redis://h/0", password="other")
    monkeypatch.setenv("POZYTYWKA_REDIS_PASSWORD", "")
    FeatureClient.open("redis://h/0")
    assert asked == ["pst", "other", None]


def test_it_imports_numpy_and_the_stores_library_only(store: Store) -> None:
    """And what that library imports itself."""
    library = "lmdb" if store.address.startswith("lmdb") else "redis"
    script = f"""
import sys, numpy, {library}
if "{library}" == "redis":
    redis.Redis.from_url("{store.address}").ping()
before = set(sys.modules)
from pozytywka_spark.featurestore.client import FeatureClient
with FeatureClient.open("{store.address}") as client:
    assert client.get("user_month", [1]).status.tolist() == ["present"]
print(*{{name.partition(".")[0] for name in set(sys.modules) - before}} - set(sys.stdlib_module_names))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {"pozytywka_spark", "numpy", library}

"""Twenty kinds of damage, each found and told by the kind; and what is no damage."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.errors import UsageError
from pozytywka_spark.featurestore.codec import Schema
from pozytywka_spark.featurestore.online import record_in, target_of
from pozytywka_spark.featurestore.stores import Store
from pozytywka_spark.featurestore.verify import Verified, verify
from tests.featurestore.small_lake import SmallLake, month
from tests.featurestore.test_materialize import load, small_lake

VIEW = "user_month"
Damage = Callable[[Store], None]


@pytest.fixture(scope="module")
def loaded(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    """Features in two loads, popularity in one: users 1 to 5 of version 1, 6 to 8 of version 0."""
    small = small_lake(spark, tmp_path_factory.mktemp("loaded"))
    small.put_features({month(0): range(1, 9)})
    small.put_plays({month(0): {"a": 5, "b": 1}, month(1): {"b": 2}})
    load(small)
    small.put_features({month(1): range(1, 6)})
    load(small)
    return small


def found(small: SmallLake, *views: str, sample: int | None = None) -> list[Verified]:
    return verify(small.settings, small.lake, views=views, sample=sample)


def kinds_of(small: SmallLake) -> dict[str, int]:
    return {kind: count for each in found(small) for kind, count in each.kinds.items()}


@contextmanager
def as_before(small: SmallLake) -> Iterator[Store]:
    """The store, whose values, records and services are put back afterwards."""
    with target_of(small.settings).open() as store:
        views = list(store.metas())
        values = {view: dict(pair for pairs in store.scan(view) for pair in pairs) for view in views}
        metas, services = store.metas(), store.get_note("services")
        yield store
        for view in views:
            epoch = store.begin(view)
            strays = [key for keys in store.scan_keys(view) for key in keys if key not in values[view]]
            store.delete_many(view, strays, epoch)
            store.write_many(view, list(values[view]), list(values[view].values()), epoch)
            store.set_meta(view, metas[view], epoch)
        assert services is not None
        store.set_note("services", services)


def test_an_untouched_store_is_the_lake(loaded: SmallLake) -> None:
    verified = {each.view: each for each in found(loaded)}
    assert {name: (each.compared, each.differences) for name, each in verified.items()} == {
        "user_month": (8, 0),
        "user_score": (0, 0),
        "track_popularity": (2, 0),
        "track_profile": (0, 0),
        "artist_profile": (0, 0),
    }
    assert verified["user_score"].note == "not materialised"


def put(store: Store, key: str, change: Callable[[bytearray], Any], view: str = VIEW) -> None:
    """Change a value in its place."""
    value = bytearray(get(store, key, view))
    changed = change(value)
    store.write_many(view, [key], [bytes(value if changed is None else changed)], store.begin(view))


def get(store: Store, key: str, view: str = VIEW) -> bytes:
    value = store.get_many(view, [key])[0]
    assert value is not None
    return value


def set_at(at: int, content: bytes) -> Callable[[bytearray], None]:
    def change(value: bytearray) -> None:
        assert value[at : at + len(content)] != content
        value[at : at + len(content)] = content

    return change


def flip(at: int, bit: int = 0) -> Callable[[bytearray], None]:
    def change(value: bytearray) -> None:
        value[at] ^= 1 << bit

    return change


def swap(store: Store) -> None:
    one, other = get(store, "1"), get(store, "2")
    store.write_many(VIEW, ["1", "2"], [other, one], store.begin(VIEW))


def write(key: str, value: bytes | None = None) -> Damage:
    return lambda store: store.write_many(
        VIEW, [key], [get(store, "1") if value is None else value], store.begin(VIEW)
    )


def delete(key: str) -> Damage:
    return lambda store: void(store.delete_many(VIEW, [key], store.begin(VIEW)))


def void(_: object) -> None:
    pass


def meta(**changed: Any) -> Damage:
    def damage(store: Store) -> None:
        record = record_in(store, VIEW)
        assert record is not None
        if "notes" in changed:
            changed["notes"] = {**record.notes, **changed["notes"]}
        store.set_meta(VIEW, replace(record, **changed).plain(), store.begin(VIEW))

    return damage


def turned_columns(store: Store) -> None:
    record = record_in(store, VIEW)
    assert record is not None
    columns = (record.columns[1], record.columns[0], *record.columns[2:])
    store.set_meta(VIEW, replace(record, columns=columns).plain(), store.begin(VIEW))


def other_schema(store: Store) -> None:
    """A value of a schema that the store names, and that isn't the view's."""
    schema = Schema(VIEW, ("a", *(f"c{number}" for number in range(114))))
    store.declare(schema, epoch := store.begin(VIEW))
    value = bytearray(get(store, "1"))
    value[:8] = struct.pack("<Q", schema.id)
    store.write_many(VIEW, ["1"], [bytes(value)], epoch)


def as_null(store: Store) -> None:
    """A number that became a null: its bit set, its bits zero."""
    value = bytearray(get(store, "1"))
    at = next(number for number in range(115) if not value[24 + number // 8] >> number % 8 & 1)
    value[24 + at // 8] ^= 1 << at % 8
    value[39 + 8 * at : 47 + 8 * at] = bytes(8)
    store.write_many(VIEW, ["1"], [bytes(value)], store.begin(VIEW))


def turned_sign_of_zero(store: Store) -> None:
    for number in range(115):
        for key in map(str, range(1, 9)):
            value = bytearray(get(store, key))
            if value[39 + 8 * number : 47 + 8 * number] == struct.pack("<d", -0.0):
                value[46 + 8 * number] = 0
                store.write_many(VIEW, [key], [bytes(value)], store.begin(VIEW))
                return
    raise AssertionError("no negative zero was drawn")


def rounded(store: Store) -> None:
    """A double as a float of four bytes would have it."""
    value = bytearray(get(store, "1"))
    for number in range(115):
        at = 39 + 8 * number
        (double,) = struct.unpack_from("<d", value, at)
        if math.isfinite(double) and double > 1:
            struct.pack_into("<d", value, at, struct.unpack("<f", struct.pack("<f", double))[0])
            break
    store.write_many(VIEW, ["1"], [bytes(value)], store.begin(VIEW))


def of_another_view(store: Store) -> None:
    store.write_many(VIEW, ["1"], [get(store, "a", "track_popularity")], store.begin(VIEW))


def popularity_of_another_track(store: Store) -> None:
    view = "track_popularity"
    store.write_many(view, ["a"], [get(store, "b", view)], store.begin(view))


DAMAGES: dict[str, tuple[Damage, set[str]]] = {
    "a bit of a number": (lambda store: put(store, "1", flip(39 + 8 * 60, 3)), {"value"}),
    "the last bit of the last number": (lambda store: put(store, "1", flip(39 + 8 * 114)), {"value"}),
    "a number that became null": (as_null, {"null", "value"}),
    "a null bit alone": (lambda store: put(store, "1", flip(24)), {"null"}),
    "a bit after the last column's null": (lambda store: put(store, "1", flip(24 + 14, 7)), {"null"}),
    "zero without its sign": (turned_sign_of_zero, {"value"}),
    "a number rounded to four bytes": (rounded, {"value"}),
    "a microsecond earlier": (lambda store: put(store, "1", flip(8)), {"known_at"}),
    "a version that never was loaded": (
        lambda store: put(store, "1", set_at(16, struct.pack("<q", 77))),
        {"version"},
    ),
    "a version that had another row": (
        lambda store: put(store, "1", set_at(16, struct.pack("<q", 0))),
        {"version"},
    ),
    "a schema that isn't named": (lambda store: put(store, "1", flip(3)), {"schema"}),
    "another schema": (other_schema, {"schema"}),
    "a value cut short": (lambda store: put(store, "1", lambda value: value[:-8]), {"length"}),
    "a value too long": (lambda store: put(store, "1", lambda value: value + b"\0"), {"length"}),
    "no bytes": (write("1", b""), {"length"}),
    "a key that is gone": (delete("1"), {"missing"}),
    "a key of nobody": (write("99"), {"extra"}),
    "a key spelt in another way": (write("01"), {"extra"}),
    "a key that is no number": (write("one"), {"extra"}),
    "two users' values swapped": (swap, {"value", "null"}),
    "another view's value": (of_another_view, {"length"}),
    "another track's value": (popularity_of_another_track, {"value"}),
    "columns in another order": (turned_columns, {"record"}),
    "another time to live": (meta(ttl=1), {"record"}),
    "another moment for now": (meta(newest=5), {"record"}),
    "a table version that never was": (meta(table_version=40), {"record"}),
    "another table": (meta(table="labels"), {"record"}),
    "services that read something else": (lambda store: store.set_note("services", {}), {"services"}),
}


@pytest.mark.parametrize("name", list(DAMAGES))
def test_damage_is_found(loaded: SmallLake, name: str) -> None:
    damage, kinds = DAMAGES[name]
    with as_before(loaded) as store:
        damage(store)
        told = kinds_of(loaded)
        assert told
        assert set(told) <= kinds
    assert kinds_of(loaded) == {}


def test_what_is_told_names_key_and_column(loaded: SmallLake) -> None:
    with as_before(loaded) as store:
        put(store, "3", flip(39, 3))
        (one,) = next(each for each in found(loaded, VIEW) if each.view == VIEW).shown
    assert (one.view, one.key, one.kind) == (VIEW, "3", "value")
    assert one.detail.startswith("number_of_advertisements ")


def test_a_record_that_is_none(loaded: SmallLake) -> None:
    with as_before(loaded) as store:
        record = record_in(store, VIEW)
        assert record is not None
        store.set_meta(VIEW, {**record.plain(), "extra": 1}, store.begin(VIEW))
        assert kinds_of(loaded) == {"record": 1}


def test_a_sample_is_of_the_same_keys_on_both_sides(loaded: SmallLake) -> None:
    few = [each for each in found(loaded, VIEW, sample=6) if each.view == VIEW]
    assert 0 < few[0].compared < 8
    assert few[0].differences == 0
    with as_before(loaded) as store:
        store.delete_many(VIEW, [str(user) for user in range(1, 9)], store.begin(VIEW))
        (gone,) = (each for each in found(loaded, VIEW, sample=6) if each.view == VIEW)
        assert gone.kinds == {"missing": few[0].compared}


def test_newer_versions_are_no_difference(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    small.put_features({month(0): [1, 2]})
    load(small, VIEW)
    small.put_features({month(0): [1], month(1): [3]})
    (verified,) = (each for each in found(small, VIEW) if each.view == VIEW)
    assert (verified.compared, verified.differences, verified.version) == (2, 0, 0)
    late = small_lake(spark, tmp_path, "delta-rs", "featurestore.delay_hours=1")
    assert found(late, VIEW)[0].kinds == {"record": 1}
    with pytest.raises(UsageError, match="no view x"):
        found(small, "x")

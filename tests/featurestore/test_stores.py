"""What both stores promise: whole values, epochs, projects apart, and one line for whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pozytywka_spark.errors import StoreError, UsageError
from pozytywka_spark.featurestore.codec import Schema
from pozytywka_spark.featurestore.stores import OvertakenError, Store, open_store

VIEW, OTHER = "user_month", "user_score"
SCHEMA = Schema(VIEW, ("a", "b"))
STORES = ("lmdb", "redis")


@pytest.fixture(params=STORES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty store of each kind."""
    if request.param == "redis":
        return str(request.getfixturevalue("redis_address"))
    return f"lmdb:{tmp_path / 'store'}"


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    with open_store(address, create=True) as opened:
        yield opened


def test_values_come_back_in_the_order_asked_for(store: Store) -> None:
    epoch = store.begin(VIEW)
    store.write_many(VIEW, ["2", "1", "zażółć/*?[gęślą]"], [b"two", b"one", b"\0\xff"], epoch)
    asked = ["1", "3", "zażółć/*?[gęślą]", "1", "2"]
    assert store.get_many(VIEW, asked) == [b"one", None, b"\0\xff", b"one", b"two"]
    assert store.get_many(VIEW, ["2"]) == [b"two"]
    assert store.get_many(VIEW, []) == []
    assert store.get_many(OTHER, ["1"]) == [None]


def test_several_views_are_read_at_once(store: Store) -> None:
    store.write_many(VIEW, ["1", "2"], [b"a", b"b"], store.begin(VIEW))
    store.write_many(OTHER, ["2"], [b"c"], store.begin(OTHER))
    assert store.get_across([VIEW, OTHER], ["1", "2"]) == [[b"a", b"b"], [None, b"c"]]
    assert store.get_across([OTHER, VIEW], []) == [[], []]


def test_a_later_write_replaces_and_deletes_count(store: Store) -> None:
    epoch = store.begin(VIEW)
    store.write_many(VIEW, ["1", "2"], [b"a", b"b"], epoch)
    store.write_many(VIEW, ["2", "3"], [b"B", b"C"], epoch)
    assert store.delete_many(VIEW, ["1", "9"], epoch) == 1
    assert store.get_many(VIEW, ["1", "2", "3"]) == [None, b"B", b"C"]
    assert store.delete_many(VIEW, [], epoch) == 0


def test_scans_bring_every_key_once_where_nobody_writes(store: Store) -> None:
    keys = [f"k{number}" for number in range(5_003)]
    store.write_many(VIEW, keys, [key.encode() for key in keys], store.begin(VIEW))
    store.write_many("user_month_2", ["x"], [b"x"], store.begin("user_month_2"))
    assert sorted(key for batch in store.scan_keys(VIEW, 100) for key in batch) == sorted(keys)
    pairs = dict(pair for batch in store.scan(VIEW, 100) for pair in batch)
    assert pairs == {key: key.encode() for key in keys}
    assert list(store.scan_keys("nothing")) == []
    assert list(store.scan("nothing")) == []


def test_who_began_before_is_refused_whatever_it_does(store: Store) -> None:
    earlier = store.begin(VIEW)
    store.write_many(VIEW, ["1"], [b"old"], earlier)
    later = store.begin(VIEW)
    assert later > earlier
    store.begin(OTHER)  # another view's
    writes = [
        lambda: store.write_many(VIEW, ["1"], [b"older"], earlier),
        lambda: store.delete_many(VIEW, ["1"], earlier),
        lambda: store.set_meta(VIEW, {}, earlier),
        lambda: store.declare(SCHEMA, earlier),
    ]
    for write in writes:
        with pytest.raises(OvertakenError, match="another materialize began after this one"):
            write()
    assert store.get_many(VIEW, ["1"]) == [b"old"]
    assert store.get_meta(VIEW) is None
    assert store.schemas(VIEW) == {}
    store.write_many(VIEW, ["1"], [b"new"], later)
    assert store.get_many(VIEW, ["1"]) == [b"new"]


def test_no_epoch_no_write(store: Store) -> None:
    with pytest.raises(OvertakenError):
        store.write_many(VIEW, ["1"], [b"x"], 1)


def test_what_is_said_beside_the_values(store: Store) -> None:
    epoch = store.begin(VIEW)
    assert store.get_meta(VIEW) is None
    store.declare(SCHEMA, epoch)
    newer = Schema(VIEW, ("a", "b", "c"), "float32")
    store.declare(newer, epoch)
    store.declare(newer, epoch)
    assert store.schemas(VIEW) == {SCHEMA.id: SCHEMA, newer.id: newer}
    assert store.schemas(OTHER) == {}
    store.set_meta(VIEW, {"table_version": 7, "notes": {"x": [1.5, None, "ł"]}}, epoch)
    store.set_meta(OTHER, {"table_version": 1}, store.begin(OTHER))
    assert store.get_meta(VIEW) == {"table_version": 7, "notes": {"x": [1.5, None, "ł"]}}
    assert list(store.metas()) == [VIEW, OTHER]
    assert store.get_note("services") is None
    store.set_note("services", {"premium": []})
    assert store.get_note("services") == {"premium": []}


def test_size_counts_keys_and_weighs_them(store: Store) -> None:
    assert store.size(VIEW).bytes_a_key == 0.0
    keys = [str(number) for number in range(3_000)]
    store.write_many(VIEW, keys, [b"x" * 950] * len(keys), store.begin(VIEW))
    size = store.size(VIEW)
    assert size.keys == 3_000
    assert 950 < size.bytes_a_key < 1_500
    assert store.size(OTHER).keys == 0


def test_opened_again_it_holds_what_it_held(address: str) -> None:
    with open_store(address, create=True) as store:
        store.write_many(VIEW, ["1"], [b"x"], store.begin(VIEW))
    with open_store(address, project=None) as again, open_store(address) as twice:
        assert again.project == "pozytywka"
        assert again.get_many(VIEW, ["1"]) == twice.get_many(VIEW, ["1"]) == [b"x"]
        again.close()
        again.close()
        assert twice.begin(VIEW) == 2


def test_another_projects_store_is_refused_by_name(address: str) -> None:
    open_store(address, project="theirs", create=True).close()
    with pytest.raises(StoreError, match="holds data of another project, theirs, and this is pozytywka"):
        open_store(address, create=True)


def test_an_empty_store_has_no_reader(address: str) -> None:
    with pytest.raises(StoreError, match="run `featurestore materialize` first"):
        open_store(address, project=None)


def test_threads_read_while_one_writes_and_see_whole_values(store: Store) -> None:
    keys = [str(number) for number in range(50)]
    epoch = store.begin(VIEW)
    store.write_many(VIEW, keys, [b"0" * 900] * 50, epoch)

    def read(_: int) -> set[bytes]:
        return {value for value in store.get_many(VIEW, keys) if value is not None}

    with ThreadPoolExecutor(4) as pool:
        reading = pool.map(read, range(200))
        for number in range(20):
            store.write_many(VIEW, keys, [str(number % 10).encode() * 900] * 50, epoch)
        seen = list(reading)
    for values in seen:
        assert len(values) == 1, "one batch, one instant"
        assert len(set(values.pop())) == 1


@pytest.mark.parametrize("key", ["", "x" * 401])
def test_keys_have_a_length(store: Store, key: str) -> None:
    with pytest.raises(StoreError, match="expected 1 to 400"):
        store.get_many(VIEW, [key])


@pytest.mark.parametrize("view", ["", "_meta", "a/b", "a b"])
def test_views_have_names(store: Store, view: str) -> None:
    with pytest.raises(UsageError, match="expected letters"):
        store.begin(view)

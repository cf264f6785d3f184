"""Stores that can't be opened, reached or shared: each in one line; a forked process opens its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from pozytywka_spark.errors import StoreError, UsageError
from pozytywka_spark.featurestore.stores import OvertakenError, open_store
from pozytywka_spark.featurestore.stores.lmdb_store import open_lmdb
from pozytywka_spark.featurestore.stores.opening import is_local
from tests.redis_server import running_redis

VIEW = "user_month"


@pytest.mark.parametrize(
    "wrong",
    [
        "", "lmdb:", "mysql://x", "/tmp/x", "redis://", "redis://h:port/0", "redis://h:0/0", "redis://h/x",
        "unix://",
    ],
)  # fmt: skip
def test_addresses_that_are_none(wrong: str) -> None:
    with pytest.raises(UsageError, match="expected lmdb:FOLDER or redis://host:port/db"):
        open_store(wrong, create=True)


def test_a_password_has_no_place_in_the_address() -> None:
    with pytest.raises(UsageError, match="has a password in it") as refused:
        open_store("redis://u:secret@127.0.0.1:1/0")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("package", "wanted"), [("lmdb", "lmdb:x"), ("redis", "redis://h/0")])
def test_a_library_that_is_not_installed(package: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("pozytywka_spark.featurestore.stores.")]:
        if name.endswith(f"{package}_store"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=f"the package {package} isn't installed"):
        open_store(wanted, create=True)


def test_what_a_cluster_cannot_share() -> None:
    assert [is_local(a) for a in ("lmdb:x", "unix:///x", "redis://h/0", "rediss://h/0")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_a_folder_without_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no online store in"):
        open_store(f"lmdb:{tmp_path}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_another_lmdb(tmp_path: Path) -> None:
    import lmdb

    with lmdb.open(str(tmp_path)) as theirs, theirs.begin(write=True) as transaction:
        transaction.put(b"a", b"b")
    with pytest.raises(StoreError, match="another project"):
        open_store(f"lmdb:{tmp_path}", create=True)


def test_a_damaged_folder(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="can't be used"):
        open_store(f"lmdb:{tmp_path}", create=True)


def test_a_full_map(tmp_path: Path) -> None:
    with open_lmdb(str(tmp_path), "pozytywka", create=True, map_size=200_000) as store:
        epoch = store.begin(VIEW)
        store.write_many(VIEW, ["1"], [b"x"], epoch)
        with pytest.raises(StoreError, match="is full"):
            store.write_many(VIEW, [str(number) for number in range(1000)], [b"x" * 900] * 1000, epoch)
        assert store.size(VIEW).keys == 1, "all of a batch or none"


def test_a_forked_process_opens_its_own(tmp_path: Path) -> None:
    script = f"""
import os, sys
from pozytywka_spark.featurestore.stores import open_store
store = open_store("lmdb:{tmp_path}", create=True)
epoch = store.begin("v")
store.write_many("v", ["1"], [b"x"], epoch)
child = os.fork()
if child == 0:
    with open_store("lmdb:{tmp_path}") as mine:
        mine.write_many("v", ["2"], mine.get_many("v", ["1"]), epoch)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert store.get_many("v", ["1", "2"]) == [b"x", b"x"]
"""
    done = subprocess.run([sys.executable, "-c", script], env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_store_that_does_not_answer() -> None:
    with pytest.raises(StoreError, match=r"redis://127.0.0.1:1/0 doesn't answer .*: is it up"):
        open_store("redis://127.0.0.1:1/0")


def test_a_store_that_goes_away(tmp_path: Path) -> None:
    with running_redis() as address:
        store = open_store(f"{address}/0", create=True)
        store.begin(VIEW)
    for use in (
        store.ping,
        lambda: store.get_many(VIEW, ["1"]),
        lambda: store.write_many(VIEW, ["1"], [b""], 1),
    ):
        with pytest.raises(StoreError, match="doesn't answer"):
            use()
    store.close()


def test_a_full_redis(redis_address: str) -> None:
    with open_store(redis_address, create=True) as store, redis.Redis.from_url(redis_address) as client:
        epoch = store.begin(VIEW)
        client.config_set("maxmemory", 1_000_000)
        keys = [str(number) for number in range(4_000)]
        with pytest.raises(StoreError, match="is full: raise its maxmemory"):
            store.write_many(VIEW, keys, [b"x" * 900] * 4_000, epoch)


def test_a_redis_that_evicts_is_refused(redis_address: str) -> None:
    with open_store(redis_address, create=True) as store, redis.Redis.from_url(redis_address) as client:
        client.config_set("maxmemory", 100_000_000)
        client.config_set("maxmemory-policy", "allkeys-lru")
        with pytest.raises(StoreError, match="maxmemory-policy allkeys-lru"):
            store.begin(VIEW)
        client.config_set("maxmemory-policy", "noeviction")
        assert store.begin(VIEW) == 1


def test_a_redis_of_others_is_refused(redis_address: str) -> None:
    with redis.Redis.from_url(redis_address) as client:
        client.set("session:1", "x")
    with pytest.raises(StoreError, match="another project, of 1 keys and no name"):
        open_store(redis_address, create=True)


def test_passwords_come_from_elsewhere_and_stay_there() -> None:
    with running_redis("--requirepass", "pst") as address:
        with open_store(f"{address}/0", password="pst", create=True) as store:
            assert store.begin(VIEW) == 1
        for wrong in (None, "no"):
            with pytest.raises(StoreError, match=r"featurestore\.password_variable") as refused:
                open_store(f"{address}/0", password=wrong)
            assert "pst" not in str(refused.value)


def test_an_epoch_that_ends_between_look_and_write(
    redis_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watched key changes after it was read: nothing is written."""
    with open_store(redis_address, create=True) as store, redis.Redis.from_url(redis_address) as client:
        epoch = store.begin(VIEW)
        execute = redis.client.Pipeline.execute

        def overtaken_first(self: object, *args: object, **named: object) -> object:
            client.incr(f"pozytywka/_epoch/{VIEW}")
            return execute(self, *args, **named)

        monkeypatch.setattr(redis.client.Pipeline, "execute", overtaken_first)
        with pytest.raises(OvertakenError, match="epoch 2 after 1"):
            store.write_many(VIEW, ["1"], [b"x"], epoch)
        assert store.get_many(VIEW, ["1"]) == [None]

"""From an address to a store."""

from __future__ import annotations

from importlib import import_module
from urllib.parse import urlsplit

from pozytywka_spark.errors import UsageError
from pozytywka_spark.featurestore.stores.api import Store, check_name

PROJECT = "pozytywka"
LMDB = "lmdb:"
REDIS = ("redis", "rediss", "unix")
_EXPECTED = "expected lmdb:FOLDER or redis://host:port/db"


def open_store(
    address: str,
    *,
    project: str | None = PROJECT,
    password: str | None = None,
    create: bool = False,
    timeout: float = 5.0,
) -> Store:
    """The store at `lmdb:FOLDER`, `redis://host:port/db` (`rediss://` with TLS, `unix:///path?db=0`).

    `project` None reads whatever project the store holds. With `create` an empty one is marked as the
    project's, and an LMDB folder made; without, an LMDB folder must be there. `timeout`: seconds that a Redis
    may take to answer. Raises `UsageError` for an address that isn't one, `StoreError` for a store that
    doesn't answer or holds another project's data.
    """
    if project is not None:
        check_name("project", project)
    elif create:
        raise UsageError(f"store {address}: only a project can make one")
    if address.startswith(LMDB):
        folder = address.removeprefix(LMDB)
        if not folder:
            raise UsageError(f"featurestore.address={address}: no folder; {_EXPECTED}")
        _check_installed("lmdb")
        from pozytywka_spark.featurestore.stores.lmdb_store import open_lmdb

        return open_lmdb(folder, project, create=create)
    if urlsplit(address).scheme in REDIS:
        check_redis(address)
        _check_installed("redis")
        from pozytywka_spark.featurestore.stores.redis_store import open_redis

        return open_redis(address, project, password, create=create, timeout=timeout)
    raise UsageError(f"featurestore.address={address}: {_EXPECTED}")


def _check_installed(package: str) -> None:
    """Names the store's library where it is missing; whoever only reads needs no other of the extra."""
    try:
        import_module(package)
    except ModuleNotFoundError:
        raise UsageError(f"the package {package} isn't installed: pip install {package}") from None


def check_redis(address: str) -> None:
    """Raises `UsageError` for an address with a password in it, or without a host or with a wrong port."""
    parts = urlsplit(address)
    if parts.password is not None:
        raise UsageError(
            "featurestore.address has a password in it, which would end up in logs: put it into the "
            "environment variable that featurestore.password_variable names"
        )
    try:
        well_formed = bool(parts.path if parts.scheme == "unix" else parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or none there is
        well_formed = False
    number = parts.path.strip("/")
    if not well_formed or (parts.scheme != "unix" and number and not number.isdecimal()):
        raise UsageError(f"featurestore.address={address}: {_EXPECTED}")


def is_local(address: str) -> bool:
    """Whether only processes of one machine can read it: LMDB, which a cluster's tasks can't share."""
    return address.startswith((LMDB, "unix:"))

"""What a Redis says, or that it says nothing, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pozytywka_spark.errors import StoreError


@contextmanager
def as_store_error(address: str) -> Iterator[None]:
    """Whatever Redis says or doesn't, in one line."""
    import redis

    try:
        yield
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise StoreError(
            f"the store {address} refuses us ({_line(error)}): is the password in the environment variable "
            "that featurestore.password_variable names?"
        ) from None
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise StoreError(
            f"the store {address} doesn't answer ({_line(error)}): is it up, and featurestore.address right?"
        ) from None
    except redis.RedisError as error:
        if isinstance(error, redis.exceptions.OutOfMemoryError) or str(error).startswith("OOM"):
            raise StoreError(
                f"the store {address} is full: raise its maxmemory, or serve fewer columns, or float32"
            ) from None
        raise StoreError(f"the store {address} can't do that: {_line(error)}") from None


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]

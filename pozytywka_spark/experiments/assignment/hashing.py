"""The bucket of a user: a salted hash modulo 10,000, the same in plain Python and in SQL anywhere. No Spark.

The text `salt/experiment/user_id` is hashed with SHA-256; the first 15 hexadecimal digits (60 bits, which
fit a signed long) are taken modulo 10,000. Any engine with SHA-256 can do the same, such as
`cast(conv(substring(sha2('pozytywka/adverts/101', 256), 1, 15), 16, 10) as bigint) % 10000` = 347.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import polars as pl

BUCKETS = 10_000
_DIGITS = 15


def buckets(salt: str, scope: str, users: pl.Series) -> pl.Series:
    """The bucket of each user, an int in [0, 10,000); null for a null user."""
    return pl.Series("bucket", _buckets(salt, scope, users), pl.Int32)


def bucket_of(salt: str, scope: str, user_id: int) -> int:
    """As `buckets`, of one user, as the definition reads."""
    digest = hashlib.sha256(f"{salt}/{scope}/{user_id}".encode()).hexdigest()
    return int(digest[:_DIGITS], 16) % BUCKETS


def layer_scope(layer: str) -> str:
    """What layers are hashed under; no experiment's name has a colon, so never the same as one's."""
    return f"layer:{layer}"


def _buckets(salt: str, scope: str, users: pl.Series) -> Iterator[int | None]:
    begun = hashlib.sha256(f"{salt}/{scope}/".encode())  # what all texts begin with, hashed once
    for user in users.to_list():
        if user is None:
            yield None
            continue
        whole = begun.copy()
        whole.update(b"%d" % user)
        yield (int.from_bytes(whole.digest()[:8], "big") >> 4) % BUCKETS  # the first 60 bits: 15 digits

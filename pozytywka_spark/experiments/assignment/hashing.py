"""The bucket of a user: a salted hash modulo 10,000, the same in Spark SQL, plain Python and SQL anywhere.

The text `salt/experiment/user_id` is hashed with SHA-256; the first 15 hexadecimal digits (60 bits, which
fit a signed long) are taken modulo 10,000. Any engine with SHA-256 can do the same, such as
`cast(conv(substring(sha2('pozytywka/adverts/101', 256), 1, 15), 16, 10) as bigint) % 10000` = 347.
"""

from __future__ import annotations

import hashlib

from pyspark.sql import Column
from pyspark.sql import functions as F

BUCKETS = 10_000
_DIGITS = 15


def bucket(salt: str, scope: str, user_id: Column) -> Column:
    """The bucket of each user, an int in [0, 10,000); null for a null user."""
    key = F.concat(F.lit(f"{salt}/{scope}/"), user_id.cast("string"))
    digits = F.substring(F.sha2(key, 256), 1, _DIGITS)
    return (F.conv(digits, 16, 10).cast("bigint") % BUCKETS).cast("int")


def bucket_of(salt: str, scope: str, user_id: int) -> int:
    """As `bucket`, of one user in plain Python."""
    digest = hashlib.sha256(f"{salt}/{scope}/{user_id}".encode()).hexdigest()
    return int(digest[:_DIGITS], 16) % BUCKETS


def layer_scope(layer: str) -> str:
    """What layers are hashed under; no experiment's name has a colon, so never the same as one's."""
    return f"layer:{layer}"

"""The layout of the table events: in how many buckets of users, and whether it is today's layout at all.

The number of buckets is recorded with the table itself, in the very commit that lays it out so: as Delta's
application transaction of the app `user_buckets`, of version `revision * 1,000,000 + buckets`. The revision
grows by one each time, so that versions grow and a commit done twice is done once.
"""

from __future__ import annotations

from pozytywka_spark.errors import LakeError
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.schemas import EVENTS

APP = "user_buckets"
MAX_BUCKETS = 1000  # that a person may ask for
_REVISION = 1_000_000
_ROWS = 2_000_000  # events of one month in one bucket: what a task holds with ease
_MAX_CHOSEN = 256
UPGRADE = "bring it up to date with: maintain --upgrade"


def buckets_of(lake: Lake) -> int:
    """In how many buckets the lake's events lie; 1 where none were ever recorded."""
    version = lake.txn_version(EVENTS.name, APP)
    return 1 if version is None else version % _REVISION


def recording(lake: Lake, buckets: int) -> Txn:
    """The transaction of a commit that makes the table, or lays it out anew, in so many buckets.

    A new table: an empty append under it comes before the first rows. Another number: one overwrite.
    """
    if not 1 <= buckets <= MAX_BUCKETS:
        raise LakeError(f"table {EVENTS.name}: {buckets} buckets of users: expected 1 to {MAX_BUCKETS}")
    version = lake.txn_version(EVENTS.name, APP) or 0
    return Txn(APP, (version // _REVISION + 1) * _REVISION + buckets)


def buckets_for(largest_month_rows: int, setting: int | None) -> int:
    """The number for a new table: the setting's; unset, a power of two by the largest month's events."""
    if setting is not None:
        return setting
    needed = -(-largest_month_rows // _ROWS)
    return min(_MAX_CHOSEN, 1 << max(0, needed - 1).bit_length())


def is_older(lake: Lake) -> bool:
    """Whether events are laid out as by releases before buckets: ids as text, partitions by month alone."""
    schema = lake.schema(EVENTS.name)
    return schema is not None and not set(EVENTS.partition_by) <= set(schema.names)


def check_layout(lake: Lake) -> None:
    """Raise `LakeError` if the lake is one of an older release."""
    if is_older(lake):
        raise LakeError(f"lake {lake.root}: table events has the layout of an older release; {UPGRADE}")

"""The two stated hashes of events: who an event is, and which bucket its user is in.

Both can be computed by any engine that has md5 and whole numbers, with the same outcome in each:

- `event_id`: the 16 bytes of md5(`micros|event_type|user_id|session_id|track_id`), where `micros` is the
  event time in microseconds since 1970 UTC and a missing track is an empty text. Spark:
  `unhex(md5(concat_ws('|', unix_micros(event_time), event_type, user_id, session_id, ifnull(track_id, ''))))`
- `user_bucket`: `user_id % 2147483647 * 1812433253 % 2147483647 % buckets`, of `user_id` from 0 on. The
  product stays below 2^62, so no engine overflows. (A step of a Lehmer generator; its modulus is a prime.)
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from pozytywka_spark.hashing.event_texts import md5_of, said_by

# Python's own takes two fifths of the time of OpenSSL's, which is slow to begin; both are md5
try:
    from _md5 import md5
except ImportError:  # a Python that was built without it
    from hashlib import md5

_BYTES = 16
_AT_ONCE = 16_384  # events: their texts and what becomes of them stay in the cache
MODULUS, FACTOR = 2_147_483_647, 1_812_433_253


def event_ids(events: pl.DataFrame) -> pl.Series:
    """Sixteen bytes an event, of `event_time`, `event_type`, `user_id`, `session_id`, `track_id`."""
    events = events.select("event_time", "event_type", "user_id", "session_id", "track_id").rechunk()
    said = said_by(events)
    digests = np.empty((events.height, _BYTES // 4), np.uint32)
    for first in range(0, events.height, _AT_ONCE):
        end = min(first + _AT_ONCE, events.height)
        texts = said.texts(first, end)
        digests[first:end] = md5_of(texts.rows, texts.lengths)
        others = first + np.flatnonzero(~texts.made)
        if len(others):
            one_by_one = np.frombuffer(_one_by_one(events[others]), np.uint32)
            digests[others] = one_by_one.reshape(-1, _BYTES // 4)
    ends = _BYTES * np.arange(events.height + 1, dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(digests)]
    ids = pa.Array.from_buffers(pa.large_binary(), len(ends) - 1, buffers)
    return pl.Series("event_id", ids, pl.Binary)


def _one_by_one(said: pl.DataFrame) -> bytes:
    """Digests of events with any texts, one behind the other."""
    time, track = pl.col("event_time").dt.epoch("us"), pl.col("track_id").fill_null("")
    fields = [time, *map(pl.col, said.columns[1:-1]), track]
    texts = said.select(pl.concat_str(fields, separator="|").cast(pl.Binary)).to_series().to_list()
    return b"".join([md5(text).digest() for text in texts])  # noqa: S324 an identity, no secret


def user_bucket(user_id: pl.Expr, buckets: int) -> pl.Expr:
    """The bucket of each user, from 0 to `buckets` - 1, as a 32-bit number.

    >>> users = pl.DataFrame({"user_id": [101, 102, 103]})
    >>> users.select(user_bucket(pl.col("user_id"), 16)).to_series().to_list()
    [14, 4, 9]
    """
    return (user_id % MODULUS * FACTOR % MODULUS % buckets).cast(pl.Int32)

"""What was known at a moment: of each key the newest row by then, and whether it was still good.

Moments are microseconds since 1970 (UTC), and times to live microseconds.
"""

from __future__ import annotations

import polars as pl

from pozytywka_spark.featurestore.record import EXPIRED, MISSING, PRESENT
from pozytywka_spark.featurestore.rows import KEY, KNOWN_AT

STATUSES = (PRESENT, MISSING, EXPIRED)
ROW, AS_OF, STATUS = "row", "as_of", "status"


def newest_by(asked: pl.DataFrame, known: pl.DataFrame, ttl: int | None) -> pl.DataFrame:
    """Grain: row of `asked`, by ROW: ROW, KEY, KNOWN_AT, STATUS, and what else `known` has.

    `asked` has ROW, KEY and AS_OF; one KEY may be asked for often, null is nobody's. `known` has KEY and
    KNOWN_AT, no two rows with both alike. The row that answers is the newest with `known_at <= as_of`; it is
    PRESENT while `as_of - known_at < ttl`, for ever without a `ttl`, and EXPIRED from then on. MISSING: no
    row was known by then, and all that comes from `known` is null.

    >>> known = pl.DataFrame({"key": ["7", "7"], "known_at": [10, 20], "value": [0.1, 0.2]})
    >>> asked = pl.DataFrame({"row": range(4), "key": "7", "as_of": [9, 10, 20, 30]})
    >>> newest_by(asked, known, ttl=10).select("known_at", "status", "value").rows()
    [(None, 'missing', None), (10, 'present', 0.1), (20, 'present', 0.2), (20, 'expired', 0.2)]
    """
    joined = asked.sort(AS_OF).join_asof(
        known.sort(KNOWN_AT),
        left_on=AS_OF,
        right_on=KNOWN_AT,
        by=KEY,
        coalesce=False,
        check_sortedness=False,  # sorted just now: that can't be checked within groups
    )
    alive = pl.lit(value=True) if ttl is None else pl.col(AS_OF) - pl.col(KNOWN_AT) < ttl
    status = (
        pl.when(pl.col(KNOWN_AT).is_null())
        .then(pl.lit(MISSING))
        .when(alive)
        .then(pl.lit(PRESENT))
        .otherwise(pl.lit(EXPIRED))
    )
    others = [name for name in known.columns if name not in (KEY, KNOWN_AT)]
    return joined.select(ROW, KEY, KNOWN_AT, status.alias(STATUS), *others).sort(ROW)


def twice_known(known: pl.DataFrame) -> pl.DataFrame:
    """Columns KEY and KNOWN_AT of what two rows share, so that neither is the newest; in their order."""
    doubled = known.group_by(KEY, KNOWN_AT).len().filter(pl.col("len") > 1)
    return doubled.select(KEY, KNOWN_AT).sort(KNOWN_AT, KEY)

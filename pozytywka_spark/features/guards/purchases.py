"""Purchases as the build puts them down or holds them: parcels and files have them in different units."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pozytywka_spark.features.build.items import Source
from pozytywka_spark.features.build.staged import BOUGHT_ROWS
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

_COLUMNS = ("user_id", "purchased_at")


def shared_purchases(sources: Sequence[Source], files: TaskFiles) -> pl.DataFrame:
    """Grain: a first purchase of a month; user_id and purchased_at in microseconds since 1970.

    From parcels BOUGHT and files of `first_purchases`.
    """
    found = [pl.DataFrame(schema=BOUGHT_ROWS).select(_COLUMNS)]
    parcels = [one for one in sources if isinstance(one, Parcel)]
    held = [one for one in sources if isinstance(one, DataFile)]
    if parcels:
        found.append(files.shared(parcels, _COLUMNS))
    if held:
        at = pl.col("purchased_at").dt.epoch("us")
        found.append(files.shared(held, _COLUMNS).select("user_id", at))
    return pl.concat(found)

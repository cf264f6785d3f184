"""First purchase of each user: from parcels of job one, and files of the table that earlier runs left."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pozytywka_spark.features.build.items import Source
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles

_BOUGHT = pl.Schema({"user_id": pl.Int64(), "purchased_at": pl.Int64()})


def purchases_of(bought: Sequence[Source], files: TaskFiles) -> pl.DataFrame:
    """Grain: user who ever bought: `user_id` and `purchased_at`, in microseconds since 1970 (UTC).

    `bought`: parcels BOUGHT and files of `first_purchases`, any number of purchases a user.
    """
    frames = [_BOUGHT.to_frame()]
    for kind in (Parcel, DataFile):  # all of a kind at once: a worker keeps few shared tables
        sources = [one for one in bought if isinstance(one, kind)]
        if sources:  # a file of the table has moments where a parcel has microseconds
            frames.append(files.shared(sources, list(_BOUGHT)).cast(_BOUGHT))
    return pl.concat(frames).group_by("user_id").agg(pl.col("purchased_at").min())

"""A big group in parts that a task holds: its cases thrown to parts by their hash, and what each says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.factory.build_work import material_of
from pozytywka_spark.factory.delays import case_dice
from pozytywka_spark.factory.gather_work import features_of_lake
from pozytywka_spark.factory.group import witness_order
from pozytywka_spark.factory.inputs import Group
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

# kinds of parcels, keyed by part: rows of the group as they came; FACTS of its cases, 50 bytes each but for
# the accounts; their FEATURES, in the same order
PART_ROWS, PART_BASE, PART_SIGNALS = "part rows", "part base", "part signals"
FACTS, FEATURES = "facts", "part features"
OF_LAKE = ("decided_at", "asked_at")  # columns of FACTS that only the lake's cases have


@dataclass(frozen=True)
class Spread:
    """Work on (kind, parcel) of a group: stages each by part, tells whether a case is a ring."""

    parts: int

    def __call__(self, items: Sequence[tuple[str, Parcel]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a parcel."""
        for kind, parcel in items:
            rows = files.read([parcel])
            place = case_dice(rows.get_column("case_id"), "part") % np.uint64(self.parts)
            for part in range(self.parts):
                files.stage(kind, rows.filter(pl.Series(place == part)), (part,))
            yield {"rings": "ring" in rows.columns and bool(rows["ring"].is_not_null().any())}


@dataclass(frozen=True)
class Prepare:
    """Work on (part, its rows): stages FACTS and FEATURES, tells the features' names and which are words.

    `rings`: whether any case of the group is one, as `gather_work.as_material` asks of all of them.
    """

    names: tuple[str, ...]
    rings: bool

    def __call__(self, items: Sequence[tuple[int, Group]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a part."""
        for part, group in items:
            rows, features = material_of(group, self.names, files)
            if group.base:
                features = features_of_lake(self.names, rings=self.rings)
                absent = [name for name in features if name not in rows.columns]
                rows = rows.with_columns(pl.lit(None, pl.Float64).alias(name) for name in absent)
            rows = rows.sort("cut_off", "case_id")
            facts = ["case_id", "accounts", "cut_off", "verdict", "looked", "testable"]
            facts += [name for name in OF_LAKE if name in rows.columns]
            files.stage(FACTS, rows.select(facts).with_columns(witness_order(rows)), (part,))
            files.stage(FEATURES, rows.select(features), (part,))
            texts = [name for name in features if rows.schema[name] == pl.String]
            yield {"features": features, "texts": texts}

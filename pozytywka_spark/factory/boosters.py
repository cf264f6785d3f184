"""Boosters as tasks read them: of the groups that a task works on, from the files of their builds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles

Booster = Mapping[str, Any]  # a row of `factory_boosters`
MODELS = "models"  # kind of parcels: `group`, `model`
_KEYS = ["build_id", "group"]


def boosters_of(
    wanted: Collection[tuple[str, str]], places: Sequence[DataFile], files: TaskFiles
) -> dict[tuple[str, str], Booster]:
    """By build and group those that are wanted; one file after another, and only those that have one."""
    found: dict[tuple[str, str], Booster] = {}
    keys = pl.DataFrame(sorted(set(wanted)), schema=dict.fromkeys(_KEYS, pl.String), orient="row")
    for place in places:
        if files.read([place], _KEYS).join(keys, on=_KEYS, how="semi").height:
            for row in files.read([place]).join(keys, on=_KEYS, how="semi").to_dicts():
                found[row["build_id"], row["group"]] = row
    return found


@dataclass(frozen=True)
class PickModels:
    """Work on files of `factory_boosters`: stages MODELS of the wanted (build, group) that have one."""

    wanted: tuple[tuple[str, str], ...]

    def __call__(self, items: Sequence[tuple[DataFile, ...]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Tells nothing."""
        for places in items:
            found = boosters_of(self.wanted, places, files)
            rows = [(group, row["model"]) for (_, group), row in sorted(found.items()) if row["model"]]
            files.stage(MODELS, pl.DataFrame(rows, {"group": pl.String, "model": pl.String}, orient="row"))
        yield from ()

"""Groups built in tasks, one after another: model and proofs of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from pozytywka_spark.factory.gather_work import as_material
from pozytywka_spark.factory.group import How, build
from pozytywka_spark.factory.inputs import Group, catalogue_of
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import FACTORY_BOOSTERS


@dataclass(frozen=True)
class BuildGroups:
    """Work on groups: writes FACTORY_BOOSTERS, tells of each its proofs, looks, curves and facts."""

    build_id: str
    how: How
    names: tuple[str, ...]
    inputs: str

    def __call__(self, items: Sequence[Group], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a group."""
        models = []
        for group in items:
            rows, features = material_of(group, self.names, files)
            built = build(rows, features, self.how)
            if any(proof.is_kept for proof in built.proofs):
                models.append(
                    {
                        "group": group.name,
                        "model": None if built.model is None else built.model.decode(),
                        "features": list(built.features),
                        "categories": json.dumps(built.categories),
                        "score_column": self.how.score_column,
                        "signals": catalogue_of(self.names),
                        "inputs": self.inputs,
                    }
                )
            yield {
                "group": group.name,
                "proofs": [asdict(proof) for proof in built.proofs],
                "looks": list(built.looks),
                "curves": built.curves,
                "facts": built.facts,
            }
        if models:
            schema = {name: pl.String for name in FACTORY_BOOSTERS.columns if name != "build_id"}
            frame = pl.DataFrame(models, schema=schema | {"features": pl.List(pl.String)})
            files.write(FACTORY_BOOSTERS, frame, {"build_id": self.build_id})


def material_of(group: Group, names: Sequence[str], files: TaskFiles) -> tuple[pl.DataFrame, list[str]]:
    """A group's rows and its features' names."""
    if group.rows:
        return files.read(group.rows), list(names)
    signals = files.read(group.signals) if group.signals else None
    return as_material(files.read(group.base), signals, names)

"""Groups built in tasks, one after another: model and proofs of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from pozytywka_spark.factory.gather_work import as_material
from pozytywka_spark.factory.group import Built, How, build
from pozytywka_spark.factory.inputs import Group, catalogue_of
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.schemas import FACTORY_BOOSTERS


@dataclass(frozen=True)
class Kept:
    """What a build's boosters are written with: `names` of the features, `inputs` as JSON."""

    build_id: str
    how: How
    names: tuple[str, ...]
    inputs: str


@dataclass(frozen=True)
class BuildGroups:
    """Work on groups: writes FACTORY_BOOSTERS, tells of each its proofs, looks, curves and facts."""

    kept: Kept

    def __call__(self, items: Sequence[Group], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a group."""
        done = []
        for group in items:
            rows, features = material_of(group, self.kept.names, files)
            built = build(rows, features, self.kept.how)
            done.append((group.name, built))
            yield told_of(group.name, built)
        write_boosters(done, self.kept, files)


def told_of(name: str, built: Built) -> dict[str, Any]:
    """What the driver hears of a group."""
    return {
        "group": name,
        "proofs": [asdict(proof) for proof in built.proofs],
        "looks": list(built.looks),
        "curves": built.curves,
        "facts": built.facts,
    }


def write_boosters(done: Sequence[tuple[str, Built]], kept: Kept, files: TaskFiles) -> None:
    """Those of groups that keep a side."""
    models = [
        {
            "group": name,
            "model": None if built.model is None else built.model.decode(),
            "features": list(built.features),
            "categories": json.dumps(built.categories),
            "score_column": kept.how.score_column,
            "signals": catalogue_of(kept.names),
            "inputs": kept.inputs,
        }
        for name, built in done
        if any(proof.is_kept for proof in built.proofs)
    ]
    if models:
        schema = {name: pl.String for name in FACTORY_BOOSTERS.columns if name != "build_id"}
        frame = pl.DataFrame(models, schema=schema | {"features": pl.List(pl.String)})
        files.write(FACTORY_BOOSTERS, frame, {"build_id": kept.build_id})


def material_of(group: Group, names: Sequence[str], files: TaskFiles) -> tuple[pl.DataFrame, list[str]]:
    """A group's rows and its features' names."""
    if group.rows:
        return files.read(group.rows), list(names)
    signals = files.read(group.signals) if group.signals else None
    return as_material(files.read(group.base), signals, names)

"""Write a world: the raw delivery of an invented Pozytywka, made by Spark part by part, and its truth.

Beside the delivery `<path>` stands `<path>_truth`, which no stage of the pipeline reads:
`ledger/` (one line a planted defect: entity, part, line, defect, what the line would have been).
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.synthetic.folder import Folder
from pozytywka_spark.synthetic.life import level_of
from pozytywka_spark.synthetic.parts import PARTS, parts_of
from pozytywka_spark.synthetic.plan import Plan, plan_of

STAMP = "_world.json"  # the underscore hides it from Spark's readers
LEDGER = "entity string, part int, line int, defect string, was string"


def truth_path(path: str) -> str:
    """Where the truth about the delivery at `path` stands."""
    return f"{path.rstrip('/')}_truth"


def write_world(spark: SparkSession, settings: Settings, path: str, *, replace: bool = False) -> None:
    """Make the world of `settings.synthetic` at `path`: one folder of JSON Lines parts per entity.

    Does nothing if that very world is there already. The folder appears complete or not at all.
    Raises `DataError` if something else is there, unless `replace`.
    """
    plan = plan_of(settings.synthetic)
    stamp = json.dumps(plan.stamp(), indent=2, sort_keys=True)
    target, truth = Folder.at(path), Folder.at(truth_path(path))
    if target.exists() and not replace:
        if target.read(STAMP) == stamp:
            return
        raise DataError(
            f"{path} holds {'another world' if target.read(STAMP) else 'something that is no made world'}: "
            "choose another folder, or say that it is to be replaced"
        )
    making, making_truth = target.sibling(".making"), truth.sibling(".making")
    making.delete()
    making_truth.delete()
    level_of(plan)  # settings that can't be met fail here, before any work
    for entity in PARTS:
        lines_of(spark, plan, entity).write.text(making.child(f"_{entity}").uri)
        making.adopt_parts(f"_{entity}", entity)
    ledger_of(spark, plan).write.json(making_truth.child("_ledger").uri)
    making_truth.adopt_parts("_ledger", "ledger")
    # The truth goes first: a delivery in place always has its own truth beside it.
    for folder, place in ((making_truth, truth), (making, target)):
        folder.write(STAMP, stamp)
        folder.move_to(place)


def lines_of(spark: SparkSession, plan: Plan, entity: str) -> DataFrame:
    """The lines of an entity's file; one partition a part, whatever the number of cores."""

    def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for part in batch.column(0).to_pylist():
                yield pa.record_batch([PARTS[entity](plan, part)[0]], names=["value"])

    parts = parts_of(plan, entity)
    return spark.range(0, parts, 1, parts).mapInArrow(make, "value string")


def ledger_of(spark: SparkSession, plan: Plan) -> DataFrame:
    """Every planted defect: the parts are made again, which is cheap, and certain to come out the same."""
    wanted = [(entity, part) for entity in PARTS for part in range(parts_of(plan, entity))]

    def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for at in batch.column(0).to_pylist():
                entity, part = wanted[at]
                planted = PARTS[entity](plan, part)[1]
                count = len(planted.line)
                columns = [[entity] * count, [part] * count, planted.line, planted.defect, planted.was]
                types = [pa.string(), pa.int32(), pa.int32(), pa.string(), pa.string()]
                arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
                yield pa.record_batch(arrays, names=["entity", "part", "line", "defect", "was"])

    count = len(wanted) if plan.dirt.model_dump(exclude_defaults=True) else 0
    return spark.range(0, count, 1, max(1, count)).mapInArrow(make, LEDGER)

"""Tables that a training or a month's monitoring came from, as inputs of its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pyspark.sql import types as T

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import Prepared
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.names import TEST, TRAIN, VALIDATION
from pozytywka_spark.schemas import Table
from pozytywka_spark.tracking.inputs import SOURCE, Input
from pozytywka_spark.tracking.run_names import span

CONTEXTS = {TRAIN: "training", VALIDATION: "validation", TEST: "test"}  # as MLflow's documents name them
_TYPES = {
    "tinyint": "integer", "smallint": "integer", "int": "integer", "bigint": "long", "float": "float",
    "double": "double", "boolean": "boolean", "binary": "binary", "date": "datetime",
    "timestamp": "datetime", "timestamp_ntz": "datetime",
}  # fmt: skip


def training_inputs(prepared: Prepared, settings: Settings, lake: Lake) -> list[Input]:
    """Features and labels once a side of the split, then every table that they were made of."""
    made = (schemas.features_table(prepared.order), schemas.labels_table(settings.label.horizon_column))
    declared = {table.name: schema_of(table) for table in (*made, *schemas.SILVER)}
    parts: dict[str, dict[str, Mapping[str, Any]]] = {table.name: {} for table in made}
    for side, months in prepared.split.sides.items():
        rows, positives = prepared.sizes[side]
        profile: dict[str, Any] = {"months": span(months), "rows": rows, "positives": positives}
        for named in parts.values():
            named[CONTEXTS[side]] = profile
    inputs = []
    for name in (*parts, *(name for name in prepared.versions if name not in parts)):
        version, schema = prepared.versions[name], declared.get(name, [])
        address, committed = lake.path(name), _committed(lake, name, version)
        for context, used in parts.get(name, {SOURCE: {}}).items():
            inputs.append(Input(name, version, address, context, committed, schema, used))
    return inputs


def monitored_inputs(lake: Lake, month: date) -> list[Input]:
    """Features and labels as they were when `month` was monitored."""
    return table_inputs(lake, ["features", "labels"], "monitoring", {"months": span([month])})


def table_inputs(
    lake: Lake, names: Sequence[str], context: str, profile: Mapping[str, Any] | None = None
) -> list[Input]:
    """The latest versions of those tables that there are."""
    versions = {name: lake.version(name) for name in names if lake.exists(name)}
    return [
        Input(name, version, lake.path(name), context, _committed(lake, name, version), profile=profile or {})
        for name, version in versions.items()
    ]


def schema_of(table: Table) -> list[dict[str, Any]]:
    """A table's columns as MLflow writes them; what it has no word for is a string."""
    return [{"name": field.name, "required": False, **_type(field.dataType)} for field in table.schema]


def _type(kind: T.DataType) -> dict[str, Any]:
    if isinstance(kind, T.ArrayType):
        return {"type": "array", "items": _type(kind.elementType)}
    return {"type": _TYPES.get(kind.simpleString(), "string")}


def _committed(lake: Lake, table: str, version: int) -> str:
    """When that version was written; empty if the log has forgotten it."""
    times = (commit.time.isoformat() for commit in lake.history(table) if commit.version == version)
    return next(times, "")

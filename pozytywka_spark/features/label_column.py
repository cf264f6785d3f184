"""Whether the table `labels` has a label: asked here by whoever trains, measures or refits a model."""

from __future__ import annotations

from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.api import Lake


def columns_with_label(lake: Lake, label: str, advice: str, *, version: int | None = None) -> list[str]:
    """The columns of the table `labels`, of a version of it.

    Raises `DataError` if there is no such table, or it has no column `label`: `advice` ends that sentence.
    """
    schema = lake.schema("labels", version=version)
    if schema is None:
        raise DataError(f"table labels is not in {lake.root}: run the features job first")
    if label not in schema.names:
        raise DataError(f"table labels has no {label}{advice}")
    return schema.names

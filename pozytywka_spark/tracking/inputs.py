"""Tables as inputs of a run: MLflow's data sets, made without Spark and without reading a row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.tracking.store import Tracking, as_tracking_error

CONTEXT = "mlflow.data.context"  # the tag that the UI shows beside a data set
SOURCE = "source"  # the context of tables that others were made of


@dataclass(frozen=True)
class Input:
    """A Delta table at one version. `context` says what for; `committed` is when that version was written;
    `schema` is MLflow's list of columns; `profile` tells what was used of the table, such as months and rows.
    """

    table: str
    version: int
    address: str
    context: str
    committed: str = ""
    schema: Sequence[Mapping[str, Any]] = ()
    profile: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The same for the same version of the same table and the same part of it, ever.

        The time of the commit is in it: a lake made anew in the same place counts its versions from 0 again.
        """
        decisive = [self.address, self.version, self.committed, dict(self.profile)]
        return fingerprint_of(decisive, 8, sort_keys=True)


def log_inputs(tracking: Tracking, run_id: str, inputs: Sequence[Input]) -> None:
    """Name the run's inputs; one that it has already is left as it is."""
    with as_tracking_error(tracking.uri, "log inputs to"):
        tracking.client.log_inputs(run_id, [_as_mlflow(entry) for entry in inputs])


def _as_mlflow(entry: Input) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    # MLflow's own DeltaDatasetSource reads this, but doesn't write it: it leaves out version 0
    source = {"path": entry.address, "delta_table_version": entry.version}
    told_of = {"version": entry.version, **entry.profile}
    dataset = Dataset(
        name=entry.table,
        digest=entry.digest,
        source_type="delta_table",
        source=json.dumps(source),
        schema=json.dumps({"mlflow_colspec": list(entry.schema)}) if entry.schema else None,
        profile=json.dumps(told_of),
    )
    return DatasetInput(dataset, [InputTag(CONTEXT, entry.context)])

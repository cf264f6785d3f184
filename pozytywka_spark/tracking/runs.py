"""MLflow runs: parameters, metrics, artefacts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pozytywka_spark.tracking.source import source_tags
from pozytywka_spark.tracking.store import Tracking, as_tracking_error

_NO_RUN = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_TEXT_LIMIT = 6000  # of a parameter or a tag in MLflow's stores


@contextmanager
def run(
    tracking: Tracking, name: str, *, tags: Mapping[str, str], parent: str | None = None
) -> Iterator[str]:
    """A run and its identity; FINISHED after the block, FAILED if it raised, KILLED if interrupted."""
    lineage = {"mlflow.runName": name, **source_tags(), **({"mlflow.parentRunId": parent} if parent else {})}
    with as_tracking_error(tracking.uri, "start a run in"):
        identity = tracking.client.create_run(
            tracking.experiment_id, tags={**lineage, **_short(tags)}
        ).info.run_id
    status = "FAILED"
    try:
        yield identity
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        with as_tracking_error(tracking.uri, "close a run in"):
            tracking.client.set_terminated(identity, status)


def log(
    tracking: Tracking,
    run_id: str,
    *,
    params: Mapping[str, object] | None = None,
    metrics: Mapping[str, float] | None = None,
) -> None:
    """Parameters and metrics of a run in one request; NaN metrics are left out (SQL stores refuse some)."""
    with as_tracking_error(tracking.uri, "log to"):
        from mlflow.entities import Metric, Param

        logged = [Param(key, text) for key, text in _short(params or {}).items()]
        now = tracking.client.get_run(run_id).info.start_time
        numbers = [Metric(key, value, now, 0) for key, value in (metrics or {}).items() if value == value]
        for first in range(0, max(len(logged), len(numbers), 1), 100):
            batch = slice(first, first + 100)
            tracking.client.log_batch(run_id, metrics=numbers[batch], params=logged[batch])


def log_output(tracking: Tracking, run_id: str, model_id: str) -> None:
    """Name a logged model as what came of a run."""
    with as_tracking_error(tracking.uri, "log to"):
        from mlflow.entities import LoggedModelOutput

        tracking.client.log_outputs(run_id, [LoggedModelOutput(model_id, 0)])


def close_abandoned(tracking: Tracking, tag: str, value: str) -> None:
    """Runs with that tag that still run by the book were killed: say so."""
    with as_tracking_error(tracking.uri, "close a run in"):
        for entry in tracking.client.search_runs(
            [tracking.experiment_id], f"tags.`{tag}` = '{value}' and attributes.status = 'RUNNING'"
        ):
            tracking.client.set_terminated(entry.info.run_id, "KILLED")


def log_history(tracking: Tracking, run_id: str, name: str, values: Sequence[float]) -> None:
    """A metric's value at each step."""
    with as_tracking_error(tracking.uri, "log to"):
        from mlflow.entities import Metric

        now = tracking.client.get_run(run_id).info.start_time
        points = [Metric(name, value, now, step) for step, value in enumerate(values)]
        for first in range(0, len(points), 1000):
            tracking.client.log_batch(run_id, metrics=points[first : first + 1000])


def log_steps(tracking: Tracking, run_id: str, steps: Mapping[int, Mapping[str, float]]) -> None:
    """Metrics at numbered steps; a step that holds the same value already is left as it is."""
    with as_tracking_error(tracking.uri, "log to"):
        from mlflow.entities import Metric

        run = tracking.client.get_run(run_id)
        now = run.info.start_time
        logged = {
            (point.key, point.step): point.value
            for key in {name for values in steps.values() for name in values if name in run.data.metrics}
            for point in tracking.client.get_metric_history(run_id, key)
        }
        points = [
            # later than what stood there before, so that a step that is logged again shows its new value
            Metric(key, value, now + len(logged), step)
            for step, values in sorted(steps.items())
            for key, value in values.items()
            if value == value and logged.get((key, step)) != value
        ]
        for first in range(0, len(points), 1000):
            tracking.client.log_batch(run_id, metrics=points[first : first + 1000])


def find_tagged(tracking: Tracking, tag: str, value: str) -> str | None:
    """The latest run that bears a tag with that value, None if none does."""
    with as_tracking_error(tracking.uri, "search"):
        runs = tracking.client.search_runs(
            [tracking.experiment_id], f"tags.`{tag}` = '{value}'", max_results=1
        )
    return str(runs[0].info.run_id) if runs else None


def tag(tracking: Tracking, run_id: str, key: str, value: str) -> None:
    """Tag a run."""
    with as_tracking_error(tracking.uri, "tag a run in"):
        tracking.client.set_tag(run_id, key, value)


def log_json(tracking: Tracking, run_id: str, content: object, file: str) -> None:
    """A JSON artefact."""
    with as_tracking_error(tracking.uri, "store an artefact in"):
        tracking.client.log_dict(run_id, content, file)


def log_text(tracking: Tracking, run_id: str, content: str, file: str) -> None:
    """A text artefact, such as an HTML page."""
    with as_tracking_error(tracking.uri, "store an artefact in"):
        tracking.client.log_text(run_id, content, file)


def _short(values: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value)[:_TEXT_LIMIT] for key, value in values.items()}


def children(tracking: Tracking, parent: str) -> dict[str, dict[str, float]]:
    """Metrics of the runs under `parent`, by their names."""
    with as_tracking_error(tracking.uri, "search"):
        # the models were logged after any trials, and the latest runs come first
        runs = tracking.client.search_runs(
            [tracking.experiment_id], f"tags.`mlflow.parentRunId` = '{parent}'", max_results=1000
        )
    return {entry.data.tags["mlflow.runName"]: dict(entry.data.metrics) for entry in runs}


def find(tracking: Tracking, run_id: str) -> Any | None:
    """The run as MLflow has it, None if there is none of that identity."""
    with as_tracking_error(tracking.uri, "look up a run in"):
        from mlflow.exceptions import MlflowException

        try:
            return tracking.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code in _NO_RUN:
                return None
            raise


def tagged(tracking: Tracking, key: str, value: str) -> list[str]:
    """Identities of the finished runs that bear a tag of that value, latest first."""
    with as_tracking_error(tracking.uri, "search"):
        runs = tracking.client.search_runs(
            [tracking.experiment_id], f"tags.`{key}` = '{value}' and attributes.status = 'FINISHED'"
        )
    return [entry.info.run_id for entry in runs]


def has_artefact(tracking: Tracking, run_id: str, file: str) -> bool:
    """Whether the run exists and has that artefact at its top."""
    with as_tracking_error(tracking.uri, f"list the artefacts of run {run_id} in"):
        from mlflow.exceptions import MlflowException

        try:
            return any(entry.path == file for entry in tracking.client.list_artifacts(run_id))
        except MlflowException as error:
            if error.error_code in _NO_RUN:
                return False
            raise


def place_of(tracking: Tracking, run_id: str, file: str) -> str:
    """The path of a run's artefact, or its address where that isn't a local one."""
    with as_tracking_error(tracking.uri, f"look up run {run_id} in"):
        root = str(tracking.client.get_run(run_id).info.artifact_uri)
    address = urlsplit(root)
    return f"{unquote(address.path) if address.scheme in ('', 'file') else root}/{file}"


def read_json(tracking: Tracking, run_id: str, file: str) -> Any:
    """A JSON artefact of a run."""
    place = place_of(tracking, run_id, file)
    with (
        as_tracking_error(tracking.uri, f"read {file} of run {run_id} from"),
        tempfile.TemporaryDirectory() if urlsplit(place).scheme else nullcontext() as folder,
    ):
        if folder:
            place = tracking.client.download_artifacts(run_id, file, folder)
        return json.loads(Path(place).read_text(encoding="utf-8"))

"""Names, descriptions and tags in MLflow's UI. Only what differs is written."""

from __future__ import annotations

from collections.abc import Mapping

from pozytywka_spark.tracking.store import Tracking, as_tracking_error

KIND = "kind"  # what a run is: training, monitoring, experiment, uplift, simulation
NOTE = "mlflow.note.content"
NAME = "mlflow.runName"
# what people add to a description stands below this line, and survives when ours is written again
BELOW = "*Written by the jobs. Notes below this line are kept.*"


def describe_run(tracking: Tracking, run_id: str, name: str, tags: Mapping[str, str], text: str) -> None:
    """Name, tag and describe a run."""
    with as_tracking_error(tracking.uri, "describe a run in"):
        from mlflow.entities import RunTag

        tags_there = tracking.client.get_run(run_id).data.tags
        new_tags = {**tags, NAME: name, NOTE: with_notes(text, tags_there.get(NOTE))}
        changed = [RunTag(key, value) for key, value in new_tags.items() if tags_there.get(key) != value]
        if changed:
            tracking.client.log_batch(run_id, tags=changed)


def describe_version(tracking: Tracking, number: int, tags: Mapping[str, str], text: str) -> None:
    """Tag and describe a version of the model."""
    name, version = tracking.model_name, str(number)
    with as_tracking_error(tracking.uri, "describe a model in"):
        registered = tracking.client.get_model_version(name, version)
        for key, value in tags.items():
            if registered.tags.get(key) != value:
                tracking.client.set_model_version_tag(name, version, key, value)
        description = with_notes(text, registered.description)
        if description != registered.description:
            tracking.client.update_model_version(name, version, description)


def describe_model(tracking: Tracking, tags: Mapping[str, str], text: str) -> None:
    """Tag and describe the registered model itself."""
    name = tracking.model_name
    with as_tracking_error(tracking.uri, "describe a model in"):
        registered = tracking.client.get_registered_model(name)
        for key, value in tags.items():
            if registered.tags.get(key) != value:
                tracking.client.set_registered_model_tag(name, key, value)
        description = with_notes(text, registered.description)
        if description != registered.description:
            tracking.client.update_registered_model(name, description)


def with_notes(text: str, before: str | None) -> str:
    """Our text, and below it what people wrote into the description that stood there before."""
    _, mark, below = (before or "").partition(BELOW)
    notes = below if mark else before or ""
    ours = f"{text.strip()}\n\n{BELOW}"
    return f"{ours}\n\n{notes.strip()}" if notes.strip() else ours


def page_of(experiment: str, run_id: str, file: str, words: str) -> str:
    """A link in Markdown to an artefact of a run that works inside the UI, wherever that is served."""
    return f"[{words}](#/experiments/{experiment}/runs/{run_id}/artifacts/{file})"


def table(rows: list[dict[str, str]]) -> str:
    """Rows of the same keys as a table in Markdown."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)

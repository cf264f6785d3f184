"""The label and horizon of a model, held against those of the settings and of the table labels."""

from __future__ import annotations

from pozytywka_spark.config import Label
from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.label_column import columns_with_label
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.models.serving_model import ServingModel


def check_label(model: ServingModel, label: Label) -> None:
    """Guard `label`: the settings ask for what the model was trained for. Raises `GuardError`.

    For those who hand a model's numbers on as what the settings name; who measures a model takes its own
    label instead.
    """
    if model.label != label.column:
        raise GuardError(
            f"guard label: {_setting(label)} asks for {label.column}, but {model.name} version "
            f"{model.version} was trained for {model.label}: {_asks_for(model)}, or train a model for "
            f"{label.column} under a name of its own (mlflow.model_name)"
        )


def has_own_labels(lake: Lake, model: ServingModel) -> bool:
    """Whether the table labels has what the model was trained for."""
    schema = lake.schema("labels")
    return schema is not None and model.label in schema.names


def label_columns(lake: Lake, model: ServingModel) -> list[str]:
    """The columns of the table labels. Raises `DataError` if it isn't there, or lacks the model's label."""
    advice = (
        f", which {model.name} version {model.version} was trained for: "
        f"{_asks_for(model)} and run the features job; a model of another label goes under a name of "
        "its own (mlflow.model_name)"
    )
    return columns_with_label(lake, model.label, advice)


def _setting(label: Label) -> str:
    """The setting that decides what is asked for."""
    return (
        f"label.name={label.name}"
        if label.name == "buys_ever"
        else f"label.horizon_days={label.horizon_days}"
    )


def _asks_for(model: ServingModel) -> str:
    """What to set to ask for what the model predicts."""
    if model.horizon is None:
        return "set label.name=buys_ever and label.allow_censored=true"
    return f"set label.name=buys_within_horizon and label.horizon_days={model.horizon_days}"

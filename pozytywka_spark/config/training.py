"""Settings of the time split, training, tuning and calibration."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section, decides


class Split(Section):
    """Months on each side of the time split, counted back from the last mature month."""

    section_decides = decides("model")

    validation_months: int = Field(2, ge=1)
    test_months: int = Field(2, ge=1)
    folds: int = Field(3, ge=1, le=24, description="rolling-origin folds for tuning and stability")


class Training(Section):
    """The estimators' settings."""

    section_decides = decides("model", "simulation")  # simulations refit the trees

    seed: int = 7
    num_workers: int | None = Field(None, ge=1, description="unset: the planner picks")
    max_trees: int = Field(400, ge=1)
    early_stopping_rounds: int = Field(20, ge=1)
    learning_rate: float = Field(0.1, gt=0, le=1)
    max_depth: int = Field(4, ge=1, le=16)
    min_child_weight: float = Field(5.0, ge=0)
    subsample: float = Field(0.9, gt=0, le=1)
    colsample_bytree: float = Field(0.5, gt=0, le=1)
    max_bin: int = Field(
        64, ge=2, le=65_536, description="values of a feature that trees tell apart, at most"
    )
    reg_lambda: float = Field(1.0, ge=0)
    positive_weight: float | Literal["balanced"] = Field(
        1.0, description="weight of a positive row; balanced: negatives per positive, repaired by calibration"
    )
    monotone: dict[str, Literal[-1, 0, 1]] = Field(
        default_factory=dict, description="feature: 1 if the score may only rise with it, -1 only fall"
    )
    logistic_reg_param: float = Field(0.01, ge=0)
    prefer_simple: bool = Field(
        False,
        description="true: register logistic regression where trees don't beat it beyond noise on the test "
        "months, by gate.metric and gate.confidence",
    )
    min_positives: int = Field(5, ge=1, description="fewest positive rows on any side of the split")
    incomplete_months: bool = Field(
        False, description="true: a first month whose data begin late is trained and evaluated on too"
    )
    rows_in_memory: int = Field(
        4_000_000,
        ge=1000,
        description="up to so many rows everything is done on all of them in a task's memory; beyond, trees "
        "grow across executors and the rest looks at a sample of users with about so many",
    )
    small_table_mb: int = Field(
        512,
        ge=0,
        description="a training table up to this size is worked on without Spark jobs, on one machine",
        json_schema_extra=NOTHING,
    )


class Tuning(Section):
    """How hyperparameters are searched, over the rolling folds before the test months."""

    section_decides = decides("search", "study")

    enabled: bool = Field(
        False,
        description="true: search before the final fit; train --tune sets it",
        json_schema_extra=decides("model"),
    )
    trials: int | None = Field(
        30,
        ge=1,
        description="finished and pruned trials in all; unset: no limit",
        json_schema_extra=decides("search"),
    )
    minutes: float | None = Field(
        None,
        gt=0,
        description="start no trial after so long; unset: no limit",
        json_schema_extra=decides("search"),
    )
    parallel: int | None = Field(None, ge=1, le=64, description="trials at once; unset: the planner picks")
    startup_trials: int = Field(8, ge=1, description="trials drawn at random before TPE and pruning set in")
    seed: int = 7
    storage: str | None = Field(
        None,
        min_length=1,
        description="journal file or database address; unset: under home/tuning",
        json_schema_extra=NOTHING,
    )


class Calibration(Section):
    """How scores become probabilities, fitted on the validation months."""

    section_decides = decides("model")

    method: Literal["auto", "isotonic", "platt", "none"] = Field(
        "auto", description="auto: isotonic from isotonic_positives on, Platt's two parameters below"
    )
    isotonic_positives: int = Field(1000, ge=1)

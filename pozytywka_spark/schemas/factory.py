"""Tables of the factory: which model may decide which group's cases alone, and what was decided."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

# grain: group, side (refuse, approve) and change of its state; the latest `effective_at` up to T holds at T.
# `tested` and `wrong` count accounts or rings, `precision_low` the proven bound, `coverage` the share of
# cases on this side of the threshold. `source`: built of whose cases, lake or table (of a file); null in rows
# of earlier releases
FACTORY_MODELS = table(
    "factory_models",
    "build_id string, group string, side string, state string, threshold double, tested bigint, "
    "wrong bigint, precision_low double, coverage double, reason string, effective_at timestamp, "
    "source string",
    keys=["build_id", "group", "side", "effective_at"],
)

# grain: case that was decided: `decision` refuse, approve or person, `mode` shadow, live or audit. Only live
# ones are ever carried out, at `release_at`
DECISIONS = table(
    "decisions",
    "case_id string, group string, decision string, mode string, score double, decided_at timestamp, "
    "release_at timestamp, build_id string, reasons array<string>",
    keys=["case_id", "mode", "build_id"],
)

# grain: group of a build: what a decision needs. `model` is XGBoost's own JSON, null where a column of the
# input is the score; `features` in the model's order, `categories` (JSON) their values where they are words;
# `signals` names the catalogue they come from
FACTORY_BOOSTERS = table(
    "factory_boosters",
    "build_id string, group string, model string, features array<string>, categories string, "
    "score_column string, signals string, inputs string",
    keys=["build_id", "group"],
    partition_by=["build_id"],
)

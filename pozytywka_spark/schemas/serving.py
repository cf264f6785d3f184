"""Tables made with a model: predictions, monitoring, simulations; and the steps of a month."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

# grain: user, month and model version; one partition is what one model said of one month. `label` and
# `horizon_days` say of what it is the probability (no horizon: buys_ever), `complete` whether the data
# covered the whole month; all three are null in rows of older releases
PREDICTIONS = table(
    "predictions",
    "user_id bigint, month date, model_name string, model_version int, probability double, "
    "probability_raw double, margin double, rank bigint, decile int, selected boolean, "
    "reasons array<struct<feature:string,contribution:double,value:double,text:string,actionable:boolean>>, "
    "scoring_id string, scored_at timestamp, label string, horizon_days int, complete boolean",
    keys=["user_id", "month", "model_version"],
    partition_by=["month", "model_version"],
)

# grain: month, subject (a feature, `score` or `model`) and metric; what a month looks like beside the
# reference months, and how well the model of that month did. `threshold` null: never alarmed; `label` and
# `horizon_days` are what that model predicts, `complete`: the data covered the whole month
# (null in rows of older releases)
MONITORING = table(
    "monitoring",
    "month date, subject string, metric string, value double, low double, high double, threshold double, "
    "alert boolean, rows bigint, model_version int, reference string, detail string, monitoring_id string, "
    "label string, horizon_days int, complete boolean",
    keys=["month", "subject", "metric"],
    partition_by=["month"],
)

# grain: month, step of the month's work and change of its state; `inputs` names what it was done from,
# `outcome` is JSON for the steps after it
MONTHLY_STEPS = table(
    "monthly_steps",
    "month date, step string, state string, inputs string, detail string, started_at timestamp, "
    "finished_at timestamp, outcome string",
    keys=["month", "step", "started_at", "state"],
)

# grain: month, way of grouping, segment and point of its Pareto front; amounts are of the whole segment
# and month, `changes` the levers' settings, `low` and `high` the 95% interval of `change`; `complete`: the
# data covered the whole month
SIMULATIONS = table(
    "simulations",
    "month date, segment_by string, segment string, point int, users bigint, sampled bigint, "
    "changes map<string,double>, purchases double, change double, low double, high double, "
    "ad_income_lost double, cost double, distance double, support double, gain double, suggested boolean, "
    "advice string, model_version int, simulation_id string, "
    "complete boolean",
    keys=["month", "segment_by", "segment", "point"],
    partition_by=["month", "segment_by"],
)

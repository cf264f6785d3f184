"""Tables of experiments."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

# grain: experiment and revision (1, 2, … as it starts, grows, ends); the latest one holds.
# `low` and `high` bound half-open ranges [low, high) of 10,000 buckets; `settings` is JSON
EXPERIMENTS = table(
    "experiments",
    "experiment string, revision int, effective_at timestamp, status string, source string, salt string, "
    "layer string, layer_low int, layer_high int, "
    "allocation array<struct<group:string,low:int,high:int>>, moves boolean, settings string",
    keys=["experiment", "revision"],
)

# grain: experiment, user and assignment: the first is for life, another only where growth moved control
ASSIGNMENTS = table(
    "assignments",
    "experiment string, user_id bigint, group string, bucket int, assigned_at timestamp, revision int, "
    "moved_from string, salt string, source string, settings string",
    keys=["experiment", "user_id", "revision"],
    partition_by=["experiment"],
)

# grain: experiment, user and time at which the user met the treatment, as logged by whoever showed it
EXPOSURES = table(
    "exposures",
    "experiment string, user_id bigint, exposed_at timestamp",
    keys=["experiment", "user_id", "exposed_at"],
    partition_by=["experiment"],
)

# grain: experiment and user: how much likelier the treatment makes a purchase, by a model fitted on others
UPLIFT = table(
    "uplift",
    "experiment string, user_id bigint, month date, revision int, group string, bought boolean, fold int, "
    "uplift double, score double, uplift_bin int, score_bin int, uplift_id string",
    keys=["experiment", "user_id"],
    partition_by=["experiment"],
)

# grain: experiment, reading (month, cumulative, segment), segment, its value, month and treatment
EXPERIMENT_RESULTS = table(
    "experiment_results",
    "experiment string, reading string, segment string, value string, month date, group string, "
    "users bigint, purchases bigint, share double, "
    "control_users bigint, control_purchases bigint, control_share double, "
    "difference double, low double, high double, lift double, lift_low double, lift_high double, "
    "p_value double, p_adjusted double, "
    "cuped_difference double, cuped_low double, cuped_high double, cuped_width double, "
    "always_difference double, always_low double, always_high double, always_p double, reading_id string",
    keys=["experiment", "reading", "segment", "value", "month", "group"],
    partition_by=["experiment"],
)

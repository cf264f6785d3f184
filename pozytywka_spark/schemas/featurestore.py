"""Tables of the feature store."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

# grain: answer of the endpoint that was logged, by view and key; `names` and `values` side by side, null
# where the value was; `version` that of the view's table
SERVED = table(
    "served",
    "answer_id string, served_at timestamp, as_of timestamp, service string, view string, key string, "
    "names array<string>, values array<double>, status string, known_at timestamp, version bigint, day date",
    keys=["answer_id", "view", "key"],
    partition_by=["day"],
)

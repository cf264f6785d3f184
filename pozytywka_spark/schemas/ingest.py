"""Tables that ingest keeps beside silver: what was rejected, read, counted and found."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

# grain: rejected raw row (identical rows of an entity are one); personal fields of users are masked;
# `time_unit` (s, ms, us) is that of numbers as timestamps in the row's file, null: it has ISO timestamps
QUARANTINE = table(
    "quarantine",
    "quarantine_id string, entity string, reason string, rule string, raw string, source_file string, "
    "source_order bigint, stream string, batch bigint, ingest_id bigint, time_unit string",
    keys=["quarantine_id"],
    partition_by=["entity"],
)

# grain: silver row that came with columns the contract doesn't know; `rescued` is their JSON
RESCUED = table(
    "rescued",
    "entity string, key string, rescued string, source_file string, stream string, batch bigint, "
    "ingest_id bigint",
    keys=["entity", "key"],
    partition_by=["entity"],
)

# grain: entity × check × ingest; `examples` never hold personal data
QUALITY = table(
    "quality",
    "ingest_id bigint, entity string, check string, severity string, rows bigint, total bigint, rate double, "
    "examples array<string>, meaning string",
    keys=["ingest_id", "entity", "check"],
)

# grain: what became of the raw rows of one batch: stream × batch × outcome × reason × event month
INGEST_COUNTS = table(
    "ingest_counts",
    "stream string, batch bigint, ingest_id bigint, entity string, outcome string, reason string, "
    "event_month date, rows bigint",
    keys=["stream", "batch", "outcome", "reason", "event_month"],
)

# grain: file version that a batch has read to its end; `generation` counts the times a delivery was read
# anew, `content_hash` is null in rows of older releases
INGEST_FILES = table(
    "ingest_files",
    "stream string, batch bigint, ingest_id bigint, entity string, delivery string, generation int, "
    "path string, size bigint, modified timestamp, rows bigint, content_hash string",
    keys=["stream", "batch", "path"],
)

# grain: finished ingest × entity × touched event month (null but for events, one such row for each entity);
# ids grow by one; a record: features find by content what has changed
INGESTS = table(
    "ingests",
    "ingest_id bigint, entity string, event_month date, rows_added bigint, delivery string",
    keys=["ingest_id", "entity", "event_month"],
)

# grain: stage (ingest, features): where the data began and ended when it last ran, [data_start, data_end) in
# UTC, what lies outside, and events by day, of which all this follows (see `lake.data_span`)
DATA_SPAN = table(
    "data_span",
    "stage string, data_start timestamp, data_end timestamp, first_event date, last_event date, "
    "events_before bigint, events_after bigint, days_before int, days_after int, overridden boolean, "
    "late_start_days int, days array<struct<day:date,events:bigint>>",
    keys=["stage"],
    partition_by=["stage"],
)

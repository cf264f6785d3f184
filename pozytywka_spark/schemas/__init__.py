"""Every table of the lake, declared once: grain, columns, keys, partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.errors import DataError
from pozytywka_spark.names import ADVERTISEMENT as ADVERTISEMENT
from pozytywka_spark.names import AUDIO_FEATURES as AUDIO_FEATURES
from pozytywka_spark.names import BUY_PREMIUM as BUY_PREMIUM
from pozytywka_spark.names import EVENT_TYPES as EVENT_TYPES
from pozytywka_spark.names import LIKE as LIKE
from pozytywka_spark.names import PLAY as PLAY
from pozytywka_spark.names import SKIP as SKIP
from pozytywka_spark.schemas.ddl import parse_ddl


@dataclass(frozen=True)
class Table:
    """A Delta table of the lake: its name is its folder under `lake.root`.

    `sorted_by` is the order of rows within a data file, so that readers skip row groups and find one
    user's rows side by side; nothing may depend on it across files.
    """

    name: str
    schema: T.StructType
    keys: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    sorted_by: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in declared order."""
        return tuple(self.schema.names)

    def conform(self, df: DataFrame) -> DataFrame:
        """`df` with exactly the declared columns, in order.

        Raises `DataError` naming each missing column and each column of another type; extra
        columns are dropped, types are never cast silently.
        """
        actual = {field.name: field.dataType for field in df.schema}
        missing = [name for name in self.columns if name not in actual]
        if missing:
            raise DataError(
                f"table {self.name}: columns missing: {', '.join(missing)}; it holds: {', '.join(actual)}"
            )
        wrong = [
            f"{field.name} is {actual[field.name].simpleString()}, expected {field.dataType.simpleString()}"
            for field in self.schema
            if _nullable(actual[field.name]) != _nullable(field.dataType)
        ]
        if wrong:
            raise DataError(f"table {self.name}: {'; '.join(wrong)}")
        return df.select(*self.columns)


def _nullable(data_type: T.DataType) -> str:
    """A type's name without nullability, which Delta and Parquet don't keep apart for nested values."""
    return data_type.simpleString()


def table(
    name: str,
    ddl: str,
    keys: Sequence[str],
    partition_by: Sequence[str] = (),
    sorted_by: Sequence[str] = (),
) -> Table:
    """A table from a DDL literal such as `"user_id bigint, city string"`."""
    return Table(name, parse_ddl(ddl), tuple(keys), tuple(partition_by), tuple(sorted_by))


def month_of(time: Column) -> Column:
    """The first day of the calendar month (UTC) that `time` lies in, as a date."""
    return F.trunc(time, "month")


# grain: user
USERS = table(
    "users",
    "user_id bigint, city string, favourite_genres array<string>, premium_user boolean",
    keys=["user_id"],
)

# grain: artist
ARTISTS = table("artists", "id string, name string, genres array<string>", keys=["id"])

# grain: track
TRACKS = table(
    "tracks",
    "id string, name string, popularity int, duration_ms bigint, explicit boolean, id_artist string, "
    "release_date date, release_date_precision string, key int, "
    + ", ".join(f"{name} double" for name in AUDIO_FEATURES),
    keys=["id"],
)

# grain: track
TRACK_STORAGE = table(
    "track_storage", "track_id string, storage_class string, daily_cost double", keys=["track_id"]
)

# grain: event; `event_id` and `user_bucket` are the hashes of identity.py
EVENTS = table(
    "events",
    "event_id binary, event_time timestamp, event_type string, user_id bigint, session_id bigint, "
    "track_id string, repaired boolean, repair_reason string, event_month date, user_bucket int",
    keys=["event_id"],
    partition_by=["event_month", "user_bucket"],
    sorted_by=["user_id", "event_time"],
)

SILVER = (USERS, ARTISTS, TRACKS, TRACK_STORAGE, EVENTS)


def order_of(name: str, columns: Sequence[str]) -> tuple[str, ...]:
    """How rows lie within a file of the table of that name; in no order if it lacks one of its columns."""
    order = next((table.sorted_by for table in SILVER if table.name == name), ())
    return order if set(order) <= set(columns) else ()


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
# UTC, what lies outside, and events by day, of which all this follows (see dataspan.py)
DATA_SPAN = table(
    "data_span",
    "stage string, data_start timestamp, data_end timestamp, first_event date, last_event date, "
    "events_before bigint, events_after bigint, days_before int, days_after int, overridden boolean, "
    "late_start_days int, days array<struct<day:date,events:bigint>>",
    keys=["stage"],
    partition_by=["stage"],
)

# grain: user and track, in the month of the first like
FIRST_LIKES = table(
    "first_likes",
    "user_id bigint, track_id string, liked_at timestamp, month date, user_bucket int",
    keys=["user_id", "track_id"],
    partition_by=["month", "user_bucket"],
)

# grain: user and artist, in the month of the first play
ARTIST_DEBUTS = table(
    "artist_debuts",
    "user_id bigint, artist_id string, month date, user_bucket int",
    keys=["user_id", "artist_id"],
    partition_by=["month", "user_bucket"],
)

# grain: user, in the month of the first event
USER_DEBUTS = table(
    "user_debuts",
    "user_id bigint, first_event_at timestamp, month date, user_bucket int",
    keys=["user_id"],
    partition_by=["month", "user_bucket"],
)

# grain: user and month with a purchase; the first one of the month, of all months with events, stray ones too
FIRST_PURCHASES = table(
    "first_purchases",
    "user_id bigint, purchased_at timestamp, month date",
    keys=["user_id", "month"],
    partition_by=["month"],
)

# grain: month with events; `inputs` is the fingerprint of all that its rows depend on, null of one that isn't
# built: of stray events only, or not asked for. `event_count`, `event_hash`, `last_event` (microseconds) and
# `days` (events of the first, the second …) are of its own events, as they lie in `files`; `labels` is JSON
# of what is counted of its labels. The same in all rows: `catalogue`, JSON of each catalogue table's digests
# of its files' names and of its rows; `user_buckets`, in how many of them the tables built have their users
FEATURE_BUILDS = table(
    "feature_builds",
    "month date, inputs string, event_count bigint, event_hash string, last_event bigint, files string, "
    "days array<bigint>, catalogue string, labels string, user_buckets int",
    keys=["month"],
)

# grain: track and month in which anyone played it
TRACK_PLAYS = table(
    "track_plays",
    "track_id string, plays bigint, month date",
    keys=["track_id", "month"],
    partition_by=["month"],
)


def user_month_table(measures: Sequence[str]) -> Table:
    """Grain: user and month with an event and no purchase before the month's end; a long per measure."""
    return table(
        "user_month",
        ", ".join(
            ["user_id bigint", "month date", *(f"{name} bigint" for name in measures), "user_bucket int"]
        ),
        keys=["user_id", "month"],
        partition_by=["month", "user_bucket"],
    )


def features_table(names: Sequence[str]) -> Table:
    """Grain: as `user_month`; a double per feature of the catalogue, in its order."""
    return table(
        "features",
        ", ".join(["user_id bigint", "month date", *(f"{name} double" for name in names)]),
        keys=["user_id", "month"],
        partition_by=["month"],
    )


def labels_table(horizon_column: str) -> Table:
    """Grain: as `user_month`; the horizon's label is null until the row is mature; `complete`: the data cover
    the whole month."""
    return table(
        "labels",
        f"user_id bigint, month date, cut_off timestamp, horizon_end timestamp, mature boolean, "
        f"{horizon_column} int, buys_ever int, complete boolean",
        keys=["user_id", "month"],
        partition_by=["month"],
    )


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

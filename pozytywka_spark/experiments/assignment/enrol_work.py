"""Who gets which group: decided a slice of users at a time, and written as `assignments`. No Spark here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import polars as pl

from pozytywka_spark.experiments.assignment.allocation import CONTROL
from pozytywka_spark.experiments.assignment.definition import Definition
from pozytywka_spark.experiments.assignment.groups import ASSIGNED, current
from pozytywka_spark.experiments.assignment.hashing import buckets, layer_scope
from pozytywka_spark.experiments.purchases import NOBODY, first_purchases
from pozytywka_spark.experiments.slices import Slice
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation import blocked as blocks
from pozytywka_spark.moderation.blocked import Blocked
from pozytywka_spark.months import start_micros
from pozytywka_spark.schemas import ASSIGNMENTS

NEW, KNOWN, PREMIUM, OUTSIDE = "assigned now", "assigned before", "premium already", "outside the slot"
BLOCKED = "blocked"
FATES = (NEW, KNOWN, PREMIUM, BLOCKED, OUTSIDE)
USERS = pl.Schema({"user_id": pl.Int64()})
NOT_BLOCKED = USERS.to_frame()
_MARKED = pl.Schema({"user_id": pl.Int64(), "premium_user": pl.Boolean()})


@dataclass(frozen=True)
class Premium:
    """Who has premium at the cut-off `at`, from first purchases by file (BOUGHT) and files of `users`.

    A user marked premium of whom no purchase is on record bought at a time nobody knows; they are taken to
    have had it all along.
    """

    bought: tuple[Parcel, ...]
    users: tuple[DataFile, ...]
    at: date

    def of(self, item: Slice, files: TaskFiles) -> pl.DataFrame:
        """Grain user with premium: `user_id`."""
        bought = first_purchases(item.read(self.bought, NOBODY, files))
        marked = item.read(self.users, _MARKED, files).filter("premium_user").select("user_id")
        unexplained = marked.join(bought, on="user_id", how="anti")
        early = bought.filter(pl.col("purchased_at") < start_micros(self.at)).select("user_id")
        return pl.concat([early, unexplained]).unique()


@dataclass(frozen=True)
class EnrolUsers:
    """Work on slices of users: writes the `members` who have no group and may have one, tells `fates`.

    Accounts `blocked` at the cut-off get none: whoever enters later, free again, is a newcomer then.
    """

    definition: Definition
    members: tuple[Parcel, ...]
    premium: Premium
    assigned: tuple[DataFile, ...]
    blocked: Blocked = blocks.NOBODY

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for item in items:
            users = item.read(self.members, USERS, files).unique().sort("user_id")
            assigned = item.read(self.assigned, USERS, files)
            premium, blocked = self.premium.of(item, files), self.blocked.users(files)
            decided = with_fate(users, assigned, premium, self.definition, blocked)
            fresh = decided.filter(pl.col("fate") == NEW)
            write_assignments(files, fresh, self.definition, self.premium.at)
            yield {"fates": dict(decided.group_by("fate").len().iter_rows())}


def with_fate(
    users: pl.DataFrame,
    assigned: pl.DataFrame,
    premium: pl.DataFrame,
    definition: Definition,
    blocked: pl.DataFrame = NOT_BLOCKED,
) -> pl.DataFrame:
    """Grain user: `user_id`, `bucket`, `group`, `fate`: whether they are assigned now, or why not."""
    ids = users.get_column("user_id")
    fate = (
        pl.when(pl.col("user_id").is_in(assigned.get_column("user_id").implode()))
        .then(pl.lit(KNOWN))
        .when(pl.col("user_id").is_in(premium.get_column("user_id").implode()))
        .then(pl.lit(PREMIUM))
        .when(pl.col("user_id").is_in(blocked.get_column("user_id").implode()))
        .then(pl.lit(BLOCKED))
        .when(pl.col("slot").is_between(definition.layer_low, definition.layer_high, closed="left"))
        .then(pl.lit(NEW))
        .otherwise(pl.lit(OUTSIDE))
    )
    if definition.layer:
        slot = buckets(definition.salt, layer_scope(definition.layer), ids).alias("slot")
    else:  # all slots are the experiment's
        slot = pl.repeat(definition.layer_low, len(ids), dtype=pl.Int32, eager=True).alias("slot")
    placed = pl.DataFrame([ids, buckets(definition.salt, definition.name, ids), slot])
    group = definition.allocation.group(pl.col("bucket"))
    return placed.select("user_id", "bucket", group.alias("group"), fate.alias("fate"))


@dataclass(frozen=True)
class MoveControl:
    """Work on slices of users: writes the moves that the definition orders, tells how many `moved`."""

    definition: Definition
    premium: Premium
    assigned: tuple[DataFile, ...]

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for item in items:
            users = current(item.read(self.assigned, ASSIGNED, files))
            moving = moves_of(users, self.premium.of(item, files), self.definition)
            write_assignments(files, moving, self.definition, self.definition.at)
            yield {"moved": moving.height}


def moves_of(users: pl.DataFrame, premium: pl.DataFrame, definition: Definition) -> pl.DataFrame:
    """Grain user of control (as of `current`) whose bucket is a treatment's now: `user_id`, `bucket`,
    `group`, `moved_from`. Who has premium stays.
    """
    group = definition.allocation.group(pl.col("bucket"))
    # who entered under this very revision came by the new shares already
    earlier = pl.col("latest_revision") < definition.revision
    return (
        users.filter((pl.col("group") == CONTROL) & (group != CONTROL) & earlier)
        .join(premium, on="user_id", how="anti", maintain_order="left")
        .select("user_id", "bucket", group.alias("group"), pl.lit(CONTROL).alias("moved_from"))
    )


def write_assignments(files: TaskFiles, rows: pl.DataFrame, definition: Definition, at: date) -> None:
    """Write rows of `assignments` of `user_id`, `bucket`, `group` and maybe `moved_from`."""
    moved = pl.col("moved_from") if "moved_from" in rows.columns else pl.lit(None, pl.String)
    whole = rows.select(
        "user_id",
        "group",
        "bucket",
        pl.lit(datetime.combine(at, time(), UTC), pl.Datetime("us", "UTC")).alias("assigned_at"),
        pl.lit(definition.revision, pl.Int32).alias("revision"),
        moved.alias("moved_from"),
        pl.lit(definition.salt).alias("salt"),
        pl.lit(definition.source).alias("source"),
        pl.lit(definition.settings_text).alias("settings"),
    )
    files.write(ASSIGNMENTS, whole, {"experiment": definition.name})

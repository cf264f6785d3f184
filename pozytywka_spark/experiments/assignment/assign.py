"""Assignment for life: new users get the group of their bucket, nobody's group changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import LakeError, UsageError
from pozytywka_spark.experiments.assignment import definitions
from pozytywka_spark.experiments.assignment.allocation import CONTROL, grow, start
from pozytywka_spark.experiments.assignment.definitions import HASH, Definition
from pozytywka_spark.experiments.assignment.eligibility import candidates, next_cut_off, premium_before
from pozytywka_spark.experiments.assignment.hashing import bucket, layer_scope
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.reports.notebook import card
from pozytywka_spark.schemas import ASSIGNMENTS

NEW, KNOWN, PREMIUM, OUTSIDE = "assigned now", "assigned before", "premium already", "outside the slot"


@dataclass(frozen=True)
class AssignReport:
    """What an assignment did: users by fate and by group; `added` rows are new."""

    experiment: str
    revision: int
    at: date
    fates: Mapping[str, int]
    groups: list[dict[str, object]]
    added: int
    moved: int

    def _repr_html_(self) -> str:
        title = f"experiment {self.experiment}, revision {self.revision}, cut-off {self.at}"
        fates = [{"fate": fate, "users": count} for fate, count in self.fates.items()]
        return card(title, {"users": fates, "groups": self.groups})


def assign(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    name: str,
    shares: Mapping[str, float] | None = None,
    at: date | None = None,
    *,
    layer: str = "",
    traffic: float = 100,
) -> AssignReport:
    """Start experiment `name` with `shares` (percent a treatment), or enrol newcomers into a running one.

    Whoever has a group keeps it; a second run at the same cut-off adds nothing; one that was killed is
    finished by the next. Raises `UsageError` if `shares` differ from the running ones, the layer is full or
    the name is unknown and no shares are given; `DataError` if nobody is eligible.
    """
    experiments = definitions.read_experiments(lake)
    cut_off = at or next_cut_off(lake, settings.data)
    if name not in experiments:
        if not shares:
            definitions.find(lake, name)  # says which there are and how to start one
        definition = definitions.define(
            settings, experiments, name, start(shares or {}), cut_off, layer=layer, traffic=traffic
        )
        # before anything is recorded: an experiment nobody can enter isn't one
        candidates(lake, str(definition.settings["population"]), cut_off)
        definitions.append(spark, lake, definition, experiments)
        return enrol(spark, lake, definition, cut_off)
    latest = definitions.running(lake, name).latest
    check_unchanged(latest, shares, layer, cut_off)
    return enrol(spark, lake, latest, cut_off)


def check_unchanged(latest: Definition, shares: Mapping[str, float] | None, layer: str, at: date) -> None:
    """Raise `UsageError` if the command asks for something else than the experiment that runs."""
    if latest.source != HASH:
        raise UsageError(f"experiment {latest.name} has imported groups: add users with experiment import")
    if shares and start(shares).sizes != latest.allocation.sizes:
        runs = ", ".join(f"{group} {share * 100:g}" for group, share in latest.allocation.shares.items())
        raise UsageError(
            f"experiment {latest.name} runs with shares {runs}: change them with experiment grow, "
            "or leave --share out to enrol newcomers"
        )
    if layer and layer != latest.layer:
        raise UsageError(f"experiment {latest.name} is in layer {latest.layer or 'none'} for life")
    if at < latest.at:
        raise UsageError(f"--at {at}: experiment {latest.name} holds from {latest.at} on")


def grow_share(
    spark: SparkSession,
    lake: Lake,
    name: str,
    shares: Mapping[str, float],
    at: date | None = None,
    *,
    move_control: bool = False,
) -> AssignReport:
    """Raise treatments' shares from a cut-off on: for newcomers only, or with `move_control` for control too.

    With it, control users whose buckets the treatment gains move there by a second row; nobody else ever
    moves. Raises `UsageError` if a share shrinks or the cut-off lies before the latest change.
    """
    experiments = definitions.read_experiments(lake)
    latest = definitions.running(lake, name).latest
    if latest.source != HASH:
        raise UsageError(f"experiment {name} has imported groups: its shares are decided elsewhere")
    cut_off = at or next_cut_off(lake)
    allocation = grow(latest.allocation, shares)
    if allocation != latest.allocation:
        write_moves(spark, lake, latest)  # whatever an earlier growth left unfinished
        latest = definitions.revise(latest, cut_off, allocation=allocation, moves=move_control)
        definitions.append(spark, lake, latest, experiments)
    elif move_control and not latest.moves:
        raise UsageError(
            f"experiment {name} has these shares already, without moving control; "
            "move control only together with a growth"
        )
    moved = write_moves(spark, lake, latest)
    return report(lake, latest, latest.at, {}, added=0, moved=moved)


def end(spark: SparkSession, lake: Lake, name: str, at: date | None = None) -> Definition:
    """End an experiment: purchases before `at` count, nobody enters any more, its layer slot is free."""
    experiments = definitions.read_experiments(lake)
    experiment = definitions.find(lake, name)
    if experiment.ended:
        return experiment.latest
    ended = definitions.revise(experiment.latest, at or next_cut_off(lake), end=True)
    definitions.append(spark, lake, ended, experiments)
    return ended


def enrol(spark: SparkSession, lake: Lake, definition: Definition, at: date) -> AssignReport:
    """Give every eligible user of the cut-off who has no group the one of their bucket."""
    moved = write_moves(spark, lake, definition)
    people = candidates(lake, str(definition.settings["population"]), at)
    decided = with_assignment_outcome(people, current(lake, definition.name, spark), definition).persist()
    try:
        counts = {row["fate"]: row["count"] for row in decided.groupBy("fate").count().collect()}
        if counts.get(NEW):
            rows = as_assignments(decided.where(F.col("fate") == NEW), definition, at)
            append_rows(lake, rows, definition.name)
    finally:
        decided.unpersist()
    return report(lake, definition, at, counts, added=counts.get(NEW, 0), moved=moved)


def with_assignment_outcome(people: DataFrame, assigned: DataFrame, definition: Definition) -> DataFrame:
    """Grain user: `user_id`, `bucket`, `group`, `fate`: whether they are assigned now, or why not."""
    user = F.col("user_id")
    place = bucket(definition.salt, definition.name, user)
    slot = bucket(definition.salt, layer_scope(definition.layer), user)
    inside = (
        (slot >= definition.layer_low) & (slot < definition.layer_high) if definition.layer else F.lit(True)
    )
    fate = (
        F.when(F.col("has_group"), KNOWN)
        .when(F.col("premium"), PREMIUM)
        .when(~inside, OUTSIDE)
        .otherwise(F.lit(NEW))
    )
    marked = assigned.select("user_id", F.lit(True).alias("has_group"))
    joined = people.join(marked, "user_id", "left").select(
        "user_id", "premium", F.coalesce("has_group", F.lit(False)).alias("has_group")
    )
    return joined.select(
        "user_id",
        place.alias("bucket"),
        definition.allocation.group(place).alias("group"),
        fate.alias("fate"),
    )


def as_assignments(rows: DataFrame, definition: Definition, at: date) -> DataFrame:
    """Grain as the table `assignments`, from `user_id`, `bucket`, `group` and maybe `moved_from`."""
    moved = F.col("moved_from") if "moved_from" in rows.columns else F.lit(None).cast("string")
    return ASSIGNMENTS.conform(
        rows.select(
            F.lit(definition.name).alias("experiment"),
            "user_id",
            "group",
            "bucket",
            F.lit(at).cast("timestamp").alias("assigned_at"),
            F.lit(definition.revision).alias("revision"),
            moved.alias("moved_from"),
            F.lit(definition.salt).alias("salt"),
            F.lit(definition.source).alias("source"),
            F.lit(definition.settings_text).alias("settings"),
        )
    )


def append_rows(lake: Lake, rows: DataFrame, name: str) -> None:
    """Append assignments; of two processes that add users at once, the later one gets a `LakeError`."""
    app = f"experiment {name}"
    number = (lake.txn_version(ASSIGNMENTS.name, app) or 0) + 1
    if lake.append(rows, ASSIGNMENTS, txn=Txn(app, number)) is None:
        raise LakeError(f"users of experiment {name} were assigned by someone else meanwhile: run it again")


def current(lake: Lake, name: str, spark: SparkSession) -> DataFrame:
    """Grain user with a group: `user_id`, `first_group`, `group` (the latest), `bucket`, `entered_at`,
    `first_revision`, `revision`.
    """
    rows = (
        lake.read(ASSIGNMENTS.name, partitions=[{"experiment": name}])
        if lake.exists(ASSIGNMENTS.name)
        else spark.createDataFrame([], ASSIGNMENTS.schema)
    )
    return rows.groupBy("user_id").agg(
        F.min_by("group", "revision").alias("first_group"),
        F.max_by("group", "revision").alias("group"),
        F.max("bucket").alias("bucket"),
        F.min("assigned_at").alias("entered_at"),
        F.min("revision").alias("first_revision"),
        F.max("revision").alias("revision"),
    )


def write_moves(spark: SparkSession, lake: Lake, definition: Definition) -> int:
    """Carry out the moves that the definition orders and that aren't done yet; their number."""
    if not definition.moves:
        return 0
    group = definition.allocation.group(F.col("bucket"))
    staying = premium_before(lake, definition.at).select("user_id")
    moving = (
        current(lake, definition.name, spark)
        # who entered under this very revision came by the new shares already
        .where((F.col("group") == CONTROL) & (group != CONTROL) & (F.col("revision") < definition.revision))
        .join(staying, "user_id", "left_anti")
        .select("user_id", "bucket", group.alias("group"), F.lit(CONTROL).alias("moved_from"))
        .persist()
    )
    try:
        count = moving.count()
        if count:
            append_rows(lake, as_assignments(moving, definition, definition.at), definition.name)
    finally:
        moving.unpersist()
    return count


def report(
    lake: Lake, definition: Definition, at: date, fates: Mapping[str, int], *, added: int, moved: int
) -> AssignReport:
    """Users by group as they are in the lake now."""
    rows = lake.read(ASSIGNMENTS.name, partitions=[{"experiment": definition.name}])
    latest = rows.groupBy("user_id").agg(F.max_by("group", "revision").alias("group"))
    sizes = {row["group"]: row["count"] for row in latest.groupBy("group").count().collect()}
    total = max(1, sum(sizes.values()))
    shares = definition.allocation.shares
    groups: list[dict[str, object]] = [
        {"group": group, "users": sizes.get(group, 0), "share %": 100 * sizes.get(group, 0) / total,
         "meant %": 100 * share}
        for group, share in shares.items()
    ]  # fmt: skip
    return AssignReport(definition.name, definition.revision, at, fates, groups, added, moved)

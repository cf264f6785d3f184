"""The guards that run at this stage, in order of cost, before features and labels are written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pozytywka_spark.beside import beside
from pozytywka_spark.features.catalogue import feature_order
from pozytywka_spark.features.compute import Months, built_features, within, write_encoded
from pozytywka_spark.features.guards.frames import check_rows
from pozytywka_spark.features.guards.names import check_names
from pozytywka_spark.features.guards.result import GuardResult
from pozytywka_spark.features.old_build import Build
from pozytywka_spark.features.old_suspicion import check_single_features, sample_labels
from pozytywka_spark.features.perturbation import check_perturbation, future_months
from pozytywka_spark.features.popularity import prior_plays
from pozytywka_spark.features.recipe import Dimensions, features_from_encoded, read_events
from pozytywka_spark.features.scratch import ScratchTables, rows_before
from pozytywka_spark.kept import keeping
from pozytywka_spark.session_conf import conf_within

# some users' rows: a task takes longer to start than to run
_FEW_PARTITIONS = {"spark.sql.shuffle.partitions": "2"}


def run_guards(build: Build, made: DataFrame, labels: DataFrame) -> list[GuardResult]:
    """Guards `names`, `rows`, `suspicion` and `perturbation`.

    `made` are the build's features, `labels` those of its months and of all before. What earlier builds
    have written passed its own guards, under the same catalogue: another one makes every month stale.
    Raises `GuardError`.
    """
    order = feature_order(build.settings, build.features)
    results = [check_names(order), check_rows(made.select("user_id", "month"), build.purchases)]
    results.append(_check_suspicion(build, made, labels, order))
    if build.settings.guards.perturbation:
        results.append(_check_perturbation(build, made, order))
    return results


def _check_suspicion(build: Build, made: DataFrame, labels: DataFrame, order: Sequence[str]) -> GuardResult:
    """Over the features made now and those of earlier months, whose labels are the ones known by now."""
    guards, wanted = build.settings.guards, ("user_id", "month", *order)
    known = made.select(*wanted)
    if not build.span.whole:
        earlier = build.lake.read("features").where(F.col("month") < F.lit(build.span.first))
        known = earlier.select(*wanted).unionByName(known)
    with keeping() as keep:
        sampled = keep(
            sample_labels(
                labels, build.settings.label.horizon_column, rows=guards.suspicion_rows, seed=guards.seed
            )
        )
        return check_single_features(known, sampled, guards.max_single_auc)


def _check_perturbation(build: Build, made: DataFrame, order: Sequence[str]) -> GuardResult:
    """The whole chain anew if all months are built; else the build's own way, from the state before them."""
    guards, events = build.settings.guards, within(build.silver["events"], build.span)
    features = [feature for feature in build.features if feature.name in order]
    chosen = sample_users(made, guards.perturbation_users, guards.seed)
    month = pick_month(build.span.chosen, guards.seed)
    until = [each for each in build.span.chosen if each <= month]
    span = Months([*until, *future_months(month)], build.span.whole)
    spark, mine = build.spark, F.col("user_id").isin(chosen)
    # at once, by generated code where that is on: what compares them is interpreted
    with keeping(now=True) as stored, conf_within(spark, _FEW_PARTITIONS):
        known, own = beside(
            spark, stored, (made.where(mine).select("user_id", "month", *order), events.where(mine))
        )
        heard = F.broadcast(stored(own.select("track_id").distinct()))
        before = {} if span.whole else rows_before(build.lake, span, mine, heard)
        # a catalogue of what they heard: joined a dozen times, the whole one would be most of the work
        tracks, users, *earlier = beside(
            spark,
            stored,
            (
                build.dimensions.tracks.join(heard, "track_id", "left_semi"),
                build.dimensions.users.where(mine),
                *before.values(),
            ),
        )
        dimensions = Dimensions(tracks, users, build.dimensions.words)

        def prepare(own: DataFrame, everyones: DataFrame) -> tuple[DataFrame, ...]:
            encoded, plays, purchases = read_events(own, everyones, dimensions.tracks)
            popularity = prior_plays(plays, span.chosen) if span.whole else plays
            return stored(encoded), stored(popularity), stored(purchases)

        def rebuild(encoded: DataFrame, plays: DataFrame, purchases: DataFrame) -> DataFrame:
            if span.whole:
                return features_from_encoded(encoded, plays, purchases, dimensions, features, span.chosen)
            scratch = ScratchTables(dict(zip(before, earlier, strict=True)), stored)
            write_encoded(scratch, encoded, plays, purchases, dimensions, span, build.features)
            return built_features(scratch, span, features)

        return check_perturbation(
            rebuild,
            own,
            events.join(heard, "track_id", "left_semi"),
            known,
            month=month,
            seed=guards.seed,
            prepare=prepare,
        )


def sample_users(rows: DataFrame, number: int, seed: int) -> list[int]:
    """At most `number` users, the same ones for the same seed."""
    dice = F.xxhash64("user_id", F.lit(seed))
    chosen = rows.select("user_id").distinct().orderBy(dice, "user_id").limit(number).collect()
    return sorted(row["user_id"] for row in chosen)


def pick_month(built: Sequence[date], seed: int) -> date:
    """The month whose future is taken away: any but the last one, whose future isn't there yet."""
    candidates = built[:-1] or built
    return candidates[seed % len(candidates)]

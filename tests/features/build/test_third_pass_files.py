"""The third job over real files: what one build writes, the next one reads, in the tables' own types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from pozytywka_spark import schemas
from pozytywka_spark.features.build.items import Held
from pozytywka_spark.features.build.label_rows import LabelPlan
from pozytywka_spark.features.build.parcels import LIKED, LISTENED, MEASURED, PLAYED, PLAYED_ROWS, TRACKS
from pozytywka_spark.features.build.passes import user_slices
from pozytywka_spark.features.build.third_pass import MakeFeatures, TracksPlayed
from pozytywka_spark.features.build.user_kernel import make_slice
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.lake.table_files import TableFiles, readable
from pozytywka_spark.lake.task_files import OpenFiles, forget_shared
from pozytywka_spark.months import DAY_MICROS, start_micros
from tests.worlds.slice_world import PLAN, World, assert_same_tables, made_world, months_of, together

LABELS_AT = LabelPlan(
    "buys_within_30_days", 30 * DAY_MICROS, start_micros(date(2024, 3, 1)), date(2023, 1, 1)
)
TABLES = {
    table.name: table
    for table in (
        schemas.FIRST_LIKES,
        schemas.ARTIST_DEBUTS,
        schemas.USER_DEBUTS,
        schemas.user_month_table([each.name for each in PLAN.measures]),
        schemas.features_table([each.name for each in PLAN.features]),
        schemas.labels_table("buys_within_30_days"),
        schemas.TRACK_PLAYS,
    )
}
Files = dict[str, list[DataFile]]


def test_builds_go_on_from_files(tmp_path: Path) -> None:
    world = made_world(7, users=10)
    months = months_of(world)
    (tmp_path / "staging").mkdir()
    open_files = OpenFiles(TableFiles(Storage(), str(tmp_path / "lake")), str(tmp_path / "staging"))
    held: Files = defaultdict(list)
    for mine in (months[:5], months[5:6], months[6:]):
        build(world, mine, held, open_files)
    rows = {name: open_files.read(files) for name, files in held.items()}
    for name, table in TABLES.items():
        assert rows[name].columns == list(table.columns)
    whole = together([make_slice(world.rows(months), world.sides(), PLAN, months)])
    assert_same_tables(rows, whole)
    played = rows["track_plays"].sort("month", "track_id")
    assert played.rows() == world.anyone.select(played.columns).sort("month", "track_id").rows()


def build(world: World, months: Sequence[date], held: Files, files: OpenFiles) -> None:
    """Adds the files of the months to `held`."""
    forget_shared()
    tracks = files.put(
        TRACKS,
        world.tracks.with_columns(duration_ms=pl.when("known").then(pl.lit(1000, pl.Int64))).drop("known"),
    )
    rows = world.rows(months)
    parcels = [
        files.put(kind, frame, ("", 0, 0))
        for kind, frame in ((MEASURED, rows.measured), (LISTENED, rows.listened), (LIKED, rows.liked))
    ]
    parcels.append(_played(world, months, files))
    before = Held(
        tuple(held["first_likes"]),
        tuple(held["artist_debuts"]),
        tuple(held["user_debuts"]),
        tuple(held["user_month"]),
    )
    work = MakeFeatures(PLAN, tuple(months), tracks, (parcels[-1], *held["track_plays"]), (), LABELS_AT)
    files.written.clear()
    told = list(
        work([*user_slices(parcels, {0: before}), TracksPlayed(tuple(months), (parcels[-1],))], files)
    )
    assert len(told) == 2
    for written in files.written:
        held[written.table].append(readable(written, TABLES[written.table]))


def _played(world: World, months: Sequence[date], files: OpenFiles) -> Parcel:
    named = world.anyone.filter(pl.col("month").is_in(list(months))).join(
        world.tracks.select("track_id", "track"), on="track_id", how="left"
    )
    rows = named.with_columns(stray=pl.when(pl.col("track").is_null()).then("track_id"))
    return files.put(PLAYED, rows.select(*PLAYED_ROWS).cast(PLAYED_ROWS), ("",))

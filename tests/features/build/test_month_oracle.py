"""Made months of every oddity against DuckDB."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_spark.features.build.month_kernel import MonthMade, measure_month
from tests.features.build.month_oracle import month_again
from tests.worlds.made_events import made_catalogue, made_events, purchases_of
from tests.worlds.month_world import MARCH, PLAN, dimensions, micros

CUT_OFF = micros("2023-04-01 00:00:00")


def named(made: MonthMade, tracks: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """As the oracle names and orders them."""
    found = {"measured": made.measured.drop("month")}
    for name in ("listened", "liked", "played"):
        rows = getattr(made, name).drop("month")
        ids = rows.join(tracks.select("track", known="track_id"), on="track", how="left").drop("track")
        keys = [key for key in ("user_id", "known", "stray") if key in ids.columns]
        others = [column for column in ids.columns if column not in keys]
        found[name] = ids.select(*keys, *others).rename({"liked_plays": "liked"}, strict=False)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_made_month_is_what_duckdb_makes_of_it(seed: int) -> None:
    tables, events = made_catalogue(seed), made_events(MARCH, 4_000, seed)
    purchases, known = purchases_of(events), dimensions(tables)
    made = measure_month(events, purchases, known, PLAN, MARCH)
    expected = month_again(events, purchases, tables, CUT_OFF)
    for name, rows in named(made, known.tracks).items():
        assert rows.height > 5
        assert_frame_equal(rows, expected[name], check_dtypes=False, check_row_order=False)
    assert 3 not in made.measured["user_id"]
    assert 4 in made.measured["user_id"]
    assert made.measured["longest_ad_run"].max() > 1

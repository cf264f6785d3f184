"""The catalogue declares everything once."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.build.plan import plan_of, sum_columns
from pozytywka_spark.features.declared.catalogue import ANALYSTS, CATALOGUE, feature_order, in_order
from pozytywka_spark.features.declared.declaration import NEVER, Feature, declaration, measures_of
from pozytywka_spark.features.declared.levels import COLUMNS, KEYS
from pozytywka_spark.features.declared.order import ORDER
from pozytywka_spark.features.declared.values import Formula, Measure, sum_name
from pozytywka_spark.features.guards.canary import CANARY
from pozytywka_spark.features.page.catalogue_page import as_html, as_markdown, catalogue_rows
from pozytywka_spark.months import cut_off_micros, months_between
from tests.features import in_kernels
from tests.features.extra_features import FEATURES
from tests.worlds import fixed_world

PLAN = plan_of(CATALOGUE)
JULY = date(2023, 7, 1)


def features_of(**measures: int) -> dict[str, float | None]:
    """Every feature of a July of which only these measures and sums aren't 0."""
    names = [each.name for each in PLAN.measures] + sum_columns(PLAN)
    assert set(measures) <= set(names)
    row = {name: measures.get(name, 0) for name in names}
    frame = pl.DataFrame([{"user_id": 1, "month": JULY, "cut_off": cut_off_micros(JULY), **row}])
    return frame.select(each.made.alias(each.name) for each in PLAN.features).row(0, named=True)


def test_every_entry_is_complete_and_named_once() -> None:
    assert len({feature.name for feature in CATALOGUE}) == len(CATALOGUE) > 100
    for feature in CATALOGUE:
        assert all(
            (feature.meaning, feature.unit, feature.kind, feature.null, feature.window, feature.source)
        )
    assert feature_order()[:25] == tuple(feature.name for feature in ANALYSTS)


def test_models_see_features_in_the_order_that_is_written_down_and_others_after_them() -> None:
    assert feature_order() == ORDER
    mine = tuple(replace(CATALOGUE[0], name=name) for name in ("zebra", "aardvark"))
    assert in_order((*mine, *reversed(CATALOGUE))) == (*CATALOGUE, *mine)


def test_measures_of_one_name_are_one_measure() -> None:
    first = {measure.name: measure for measure in reversed(measures_of(CATALOGUE))}
    for feature in CATALOGUE:
        for measure in feature.measures:
            known = first[measure.name]
            assert declaration(measure) == declaration(known)
            assert measure.aggregate().meta.eq(known.aggregate()), measure.name


def test_entries_read_what_they_declare_and_their_level_has() -> None:
    for measure in measures_of(CATALOGUE):
        assert set(measure.aggregate().meta.root_names()) <= set(COLUMNS[measure.level]), measure.name
    for feature in CATALOGUE:
        read = set(feature.expression().meta.root_names()) - set(KEYS)
        own = {measure.name for measure in feature.measures}
        spans = {sum_name(name, feature.months) for name in own} if feature.months > 1 else set()
        assert read <= own | spans, feature.name
        assert {name.removesuffix(f"_over_{feature.months}") for name in read} == own, feature.name


def test_features_are_dropped_by_settings() -> None:
    settings = load_settings("local", ["features.drop=[average_popularity, month_of_year]"])
    assert set(feature_order()) - set(feature_order(settings)) == {"average_popularity", "month_of_year"}
    with pytest.raises(UsageError, match=r"features\.drop: no such feature: nonsense"):
        feature_order(load_settings("local", ["features.drop=[nonsense]"]))


def test_a_month_of_one_event_has_no_ratio_of_nothing() -> None:
    """What is declared never to be null isn't, and all else is, where a user does nothing but be there."""
    at = cut_off_micros(JULY) - 43_200_000_000
    found = features_of(first_event_us=at, last_event_us=at, debut_us=at, sessions=1, active_days=1)
    assert {name for name, value in found.items() if value is not None} == {
        feature.name for feature in CATALOGUE if feature.null == NEVER
    }
    assert {name: value for name, value in found.items() if value} == {
        "number_of_sessions": 1.0,
        "active_days": 1.0,
        "days_since_last_event": 0.5,
        "tenure_days": 0.5,
        "month_of_year": 7.0,
    }


def test_values_of_a_month_worked_out_by_hand() -> None:
    found = features_of(
        plays=8, ads=2, listened_us=7_200_000_000, popularity_total=301, popularity_known=4,
        tempo_total=2_410_000_000_000, tempo_known=2, first_event_us=0, last_event_us=36_000_000_000,
        session_us=3_600_000_000, sessions=4, different_tracks=5, genre_plays=2, genre_play_logs=0,
        plays_over_3=12, skips_over_3=3, listened_us_over_6=90_000_000,
    )  # fmt: skip
    assert {
        "advertisements_per_play": 0.25,
        "advertisements_per_hour_listened": 1.0,
        "listened_minutes": 120.0,
        "average_popularity": 75.25,
        "average_tempo": 120.5,
        "average_hours_between_sessions": 3.0,
        "average_session_minutes": 15.0,
        "repeat_plays": 3.0,
        "genre_entropy": 0.69314718056,
        "plays_last_3_months": 12.0,
        "skip_rate_last_3_months": 0.25,
        "plays_to_3_month_mean": 2.0,
        "listened_minutes_last_6_months": 1.5,
    }.items() <= found.items()


def test_overlapping_sessions_leave_no_time_between_and_rounded_logarithms_no_entropy_below_zero() -> None:
    found = features_of(last_event_us=100, session_us=150, sessions=2, genre_plays=1, genre_play_logs=1)
    assert found["average_hours_between_sessions"] == found["genre_entropy"] == 0.0


def rows_of_measures() -> pl.DataFrame:
    """Months of two users with a number for every measure and sum, as large as they come."""
    draw = random.Random(5)
    names = [each.name for each in PLAN.measures] + sum_columns(PLAN)
    return pl.DataFrame(
        [
            {"user_id": 1 + number // 40, "month": month, "cut_off": cut_off_micros(month)}
            | {name: draw.choice((0, 1, 7, draw.randrange(1000), draw.randrange(2**45))) for name in names}
            for number, month in enumerate(2 * months_between(date(2020, 1, 1), date(2023, 4, 1)))
        ]
    )


@pytest.mark.thorough
@pytest.mark.parametrize("feature", CATALOGUE, ids=lambda feature: feature.name)
def test_a_feature_is_made_of_its_own_row_to_the_last_bit(feature: Feature) -> None:
    rows, made = rows_of_measures(), feature.expression().cast(pl.Float64)
    together = rows.select(made.alias("made"))["made"].to_list()
    assert together == [rows[place].select(made).item() for place in range(rows.height)]


def test_the_canary_is_made_of_another_row() -> None:
    rows = rows_of_measures()
    made = rows.select(CANARY.expression().alias("made"))["made"].to_list()
    plays = rows["plays"].to_list()
    assert made == [*plays[1:40], None, *plays[41:], None]
    assert "canary" not in feature_order()


def test_the_pages_hold_every_feature() -> None:
    markdown, html = as_markdown("f" * 64), as_html("f" * 64)
    assert len(catalogue_rows()) == len(CATALOGUE)
    for feature in CATALOGUE:
        assert f"| {feature.name} |" in markdown
        assert f"<td>{feature.name}</td>" in html
    assert "f" * 64 in markdown


@pytest.fixture(scope="module")
def silver() -> dict[str, in_kernels.Rows]:
    return fixed_world.catalogue() | {"events": fixed_world.events()}


def test_a_new_feature_is_one_entry_and_nothing_else(silver: dict[str, in_kernels.Rows]) -> None:
    made = in_kernels.build(silver, (*ANALYSTS[1:2], *FEATURES)).features.sort("user_id", "month")
    assert made.columns == [
        "user_id", "month", "number_of_tracks", "early_plays", "early_share_last_3_months"
    ]  # fmt: skip
    early = Counter(
        (row["user_id"], row["event_month"])
        for row in silver["events"]
        if row["event_type"] == "PLAY" and row["event_time"].hour < 9
    )
    keys = made.select("user_id", "month").rows()
    assert made["early_plays"].to_list() == [float(early[key]) for key in keys]
    assert made["early_plays"].sum() > 100


def groups_of(silver: dict[str, in_kernels.Rows]) -> dict[str, in_kernels.Rows]:
    """Every genre and artist in a group, all tracks in Polish; some texts."""
    genres = sorted({genre for row in silver["artists"] for genre in row["genres"] or ()})
    return {
        "genre_groups": [{"genre": genre, "group_id": genre} for genre in genres],
        "artist_groups": [{"id": row["id"], "group_id": row["genres"][0] if row["genres"] else None}
                          for row in silver["artists"]],
        "track_languages": [{"id": row["id"], "language": "pl"} for row in silver["tracks"]],
        "feedback_signals": [
            {"user_id": row["user_id"], "feedback_time": row["event_time"], "sentiment": 0.5,
             "queue_best": "adverts"}
            for row in silver["events"][::9]
        ],
    }  # fmt: skip


@pytest.mark.thorough
def test_every_column_that_a_level_is_said_to_have_is_there(silver: dict[str, in_kernels.Rows]) -> None:
    """On the frame that the kernels make of it, with a value somewhere."""
    aggregated = {name: columns for name, columns in COLUMNS.items() if name != "user"}
    measures = tuple(
        Measure(name=f"{level}_{column}", aggregate=pl.col(column).count, level=level, arithmetic="count")
        for level, columns in aggregated.items()
        for column in columns
    )
    feature = replace(
        FEATURES[0], value=Formula(arithmetic="0", measures=measures, expression=lambda: pl.lit(0))
    )
    found = in_kernels.build({**silver, **groups_of(silver)}, (*CATALOGUE, feature)).user_month
    assert [measure.name for measure in measures if not found[measure.name].sum()] == []

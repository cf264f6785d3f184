"""A view's rows from its table's, whole tables in and out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import GuardError, UsageError
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.rows import Reading, frame_of, needed, newest, newest_of
from pozytywka_spark.featurestore.views import Declared, Part, Service, View, check_declared

DECLARED = declared_of(load_settings("local", []))
SMALL = replace(
    DECLARED.view("user_month"),
    columns=tuple(
        each for each in DECLARED.view("user_month").columns if each.name in ("skip_rate", "number_of_skips")
    ),
)


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def test_user_months_are_known_at_the_cut_off() -> None:
    rows = pl.DataFrame(
        {
            "skip_rate": [0.5, None, float("nan")],
            "month": [date(2023, 1, 1), date(2023, 12, 1), date(2024, 2, 1)],
            "number_of_skips": [1.0, -0.0, 3.0],
            "user_id": [7, None, 8],
        }
    )
    expected = pl.DataFrame(
        {
            "key": ["7", "8"],
            "known_at": [micros("2023-02-01"), micros("2024-03-01")],
            "version": [4, 4],
            "number_of_skips": [1.0, 3.0],
            "skip_rate": [0.5, float("nan")],
        }
    )
    assert_frame_equal(frame_of(SMALL, rows, 4), expected)
    late = frame_of(SMALL, rows, 4, Reading(delay_hours=1.5))
    assert (late["known_at"] - expected["known_at"]).to_list() == [5_400_000_000] * 2


def test_float32_rounds_where_the_value_is_made() -> None:
    rows = pl.DataFrame(
        {"user_id": [1], "month": [date(2023, 1, 1)], "skip_rate": [0.1], "number_of_skips": [None]},
        schema_overrides={"number_of_skips": pl.Float64},
    )
    made = frame_of(replace(SMALL, dtype="float32"), rows, 0)
    assert made["skip_rate"].to_list() == [0.10000000149011612]
    assert made["number_of_skips"].to_list() == [None]


def test_the_champions_predictions_only() -> None:
    view = DECLARED.view("user_score")
    rows = pl.DataFrame(
        {
            "user_id": [1, 1, 1],
            "month": [date(2023, 1, 1)] * 3,
            "model_name": ["m", "m", "other"],
            "model_version": [1, 2, 2],
            "probability": [0.1, 0.2, 0.3],
            "probability_raw": [0.1, 0.2, 0.3],
            "margin": [1.0, 2.0, 3.0],
            "rank": [5, 6, 7],
            "decile": [1, 2, 3],
            "selected": [True, False, None],
        }
    ).select(needed(view))
    made = frame_of(view, rows, 3, Reading(model=("m", 2)))
    assert made.drop("known_at", "version").rows() == [("1", 0.2, 0.2, 2.0, 6.0, 2.0, 0.0, 2.0)]
    assert frame_of(view, rows, 3).height == 0


def test_popularity_goes_on_while_nobody_plays() -> None:
    rows = pl.DataFrame(
        {
            "track_id": ["a", "a", "b"],
            "plays": [10, 5, 1],
            "month": [date(2023, 11, 1), date(2024, 1, 1), date(2024, 12, 1)],
        }
    )
    made = frame_of(DECLARED.view("track_popularity"), rows, 0).sort("key", "known_at")
    of_a = made.filter(key="a")
    # from November 2023 to December 2024, the last month of the table: within twelve months of January
    assert of_a.height == 14
    first = of_a.select("plays_1_month", "plays_3_months", "plays_12_months").rows()
    assert first[:5] == [(10, 10, 10), (0, 10, 10), (5, 15, 15), (0, 5, 15), (0, 5, 15)]
    assert first[11:] == [(0, 0, 15), (0, 0, 5), (0, 0, 5)]
    assert made.filter(key="b").drop("version").rows() == [("b", micros("2025-01-01"), 1.0, 1.0, 1.0)]
    assert newest(made).sort("key")["known_at"].to_list() == [micros("2025-01-01")] * 2


PLAYS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 40), st.integers(1, 9)), max_size=20
)


@given(PLAYS, st.one_of(st.none(), st.integers(0, 70)))
def test_the_newest_popularity_is_made_without_those_before_it(
    plays: list[tuple[str | None, int, int]], last: int | None
) -> None:
    months = [date(2023 + number // 12, number % 12 + 1, 1) for number in range(71)]
    tracks, numbers, counts = zip(*plays, strict=True) if plays else ((), (), ())
    rows = pl.DataFrame(
        {"track_id": tracks, "plays": counts, "month": [months[number] for number in numbers]},
        schema={"track_id": pl.String, "plays": pl.Int64, "month": pl.Date},
    )
    view, reading = DECLARED.view("track_popularity"), Reading(1.5, last_month=last and months[last])
    expected = newest(frame_of(view, rows, 4, reading))
    assert_frame_equal(newest_of(view, rows, 4, reading), expected, check_row_order=False)


def test_popularity_of_a_slice_goes_to_the_tables_last_month() -> None:
    rows = pl.DataFrame({"track_id": ["a"], "plays": [10], "month": [date(2023, 11, 1)]})
    view = DECLARED.view("track_popularity")
    assert frame_of(view, rows, 0).height == 1
    assert frame_of(view, rows, 0, Reading(last_month=date(2024, 1, 1))).height == 3
    assert frame_of(view, rows, 0, Reading(last_month=date(2026, 1, 1))).height == 12


def test_snapshots() -> None:
    tracks = pl.DataFrame(
        {
            "id": ["t1", "t2", "t3"],
            "id_artist": ["a", "a", None],
            "popularity": [10, 21, 5],
            "duration_ms": [1000, None, 2],
            "explicit": [True, False, None],
            "release_date": [date(1970, 1, 3), date(1969, 12, 31), None],
            "key": [1, 2, 3],
            **{
                name: [0.5, 0.25, None]
                for name in needed(DECLARED.view("track_profile"))
                if name
                not in ("id", "id_artist", "popularity", "duration_ms", "explicit", "release_date", "key")
            },
        }
    )
    artists = frame_of(DECLARED.view("artist_profile"), tracks, 9)
    assert artists.rows() == [("a", 0, 9, 2.0, 15.5, 21.0, 1000.0, 0.5, -1.0, 2.0)]
    profile = frame_of(DECLARED.view("track_profile"), tracks, 9)
    assert profile.select(
        "key", "known_at", "popularity", "explicit", "release_day", "musical_key"
    ).rows() == [
        ("t1", 0, 10.0, 1.0, 2.0, 1.0),
        ("t2", 0, 21.0, 0.0, -1.0, 2.0),
        ("t3", 0, 5.0, None, None, 3.0),
    ]


@pytest.mark.parametrize("name", list(DECLARED.views))
def test_needed_columns_are_of_the_table(name: str) -> None:
    from pozytywka_spark import schemas

    view: View = DECLARED.view(name)
    tables = {
        "features": ("user_id", "month", *view.names),
        "predictions": schemas.PREDICTIONS.columns,
        "track_plays": schemas.TRACK_PLAYS.columns,
        "tracks": schemas.TRACKS.columns,
    }
    assert set(needed(view)) <= set(tables[view.table])
    assert all(column.meaning for column in view.columns)


def test_services() -> None:
    premium = DECLARED.service("premium")
    premium.check_model("model 3", premium.columns, premium.catalogue_hash)
    with pytest.raises(GuardError, match=r"^service premium: model 3 was trained on the catalogue abc, "):
        premium.check_model("model 3", premium.columns, "abc")
    turned = (premium.columns[1], premium.columns[0], *premium.columns[2:])
    with pytest.raises(GuardError, match=rf"another order: {turned[0]} where the service has {turned[1]}"):
        premium.check_model("model 3", turned, premium.catalogue_hash)
    assert DECLARED.consumers("user_month") == ("premium", "prompt")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((Part("none", ("a",)),), "no view none: there are user_month, user_score"),
        ((Part("user_month", ("a",)),), "view user_month has no column a"),
        ((Part("user_month", ("skip_rate",)), Part("track_profile", ("tempo",))), "a service has one key"),
        ((Part("user_month", ("skip_rate", "skip_rate")),), "two of its columns bear one name"),
    ],
)
def test_services_that_are_none(parts: tuple[Part, ...], message: str) -> None:
    service = Service("odd", "", "", parts)
    with pytest.raises(UsageError, match=message):
        check_declared(Declared(DECLARED.views, {"odd": service}))


def test_names_that_are_none() -> None:
    with pytest.raises(UsageError, match=r"^no view x: there are user_month, user_score, track_popularity, "):
        DECLARED.view("x")
    with pytest.raises(UsageError, match=r"^no service x: there are premium, prompt, feed$"):
        DECLARED.service("x")
    with pytest.raises(UsageError, match=r"^featurestore.float32: no view x"):
        declared_of(load_settings("local", ["featurestore.float32=[x]"]))
    assert (
        declared_of(load_settings("local", ["featurestore.float32=[user_month]"])).view("user_month").dtype
        == "float32"
    )

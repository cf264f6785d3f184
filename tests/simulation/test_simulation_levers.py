"""How features follow a lever, against the catalogue's own arithmetic; which levers are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pozytywka_spark.features.build.plan import plan_of
from pozytywka_spark.features.build.user_kernel import as_features
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.declared.declaration import measures_of
from pozytywka_spark.simulation.levers import LEVERS, Lever, usable

NAMES = [feature.name for feature in CATALOGUE]
MEASURES = [measure.name for measure in measures_of(CATALOGUE)]
TOUCHED = {measure for lever in LEVERS[:3] for measure in (*lever.measures, "plays")}
RELATED = [feature for feature in CATALOGUE if TOUCHED & {measure.name for measure in feature.measures}]
NOW = date(2023, 5, 1)
BEFORE = [date(2022, 8, 1), date(2023, 1, 1), date(2023, 4, 1)]
WHOLE = {  # of each lever a setting, and what becomes of the measures of the month, in whole numbers
    "adverts": (2.0, {"ads": 2, "ads_last_7_days": 2, "longest_ad_run": 2}),
    "favourites": (2.0, {"favourite_plays": 2, "favourite_matches": 2, "favourite_popularity_total": 2,
                         "favourite_popularity_known": 2}),
    "popularity": (4.0, {"popularity_total": "popularity_known", "favourite_popularity_total":
                         "favourite_popularity_known"}),
}  # fmt: skip


def base_rows() -> pd.DataFrame:
    """Measures of 40 users in four months; every play of a known popularity, some users without adverts."""
    drawn = np.random.default_rng(5)
    frames = []
    for month in [*BEFORE, NOW]:
        frame = pd.DataFrame({name: drawn.integers(1, 50, 40) for name in MEASURES})
        frame.insert(0, "user_id", np.arange(40))
        frame.insert(1, "month", month)
        frame["plays"] = drawn.integers(60, 90, 40)
        frame["popularity_known"] = frame["plays"]
        frame["popularity_total"] = frame["plays"] * drawn.integers(20, 70, 40)
        frame["favourite_plays"] = drawn.integers(0, 30, 40)
        frame["favourite_matches"] = frame["favourite_plays"] * drawn.integers(1, 3, 40)
        frame["favourite_popularity_known"] = frame["favourite_plays"]
        frame["favourite_popularity_total"] = frame["favourite_plays"] * 40
        frame.loc[frame["user_id"] < 8, ["ads", "ads_last_7_days", "longest_ad_run"]] = 0
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def turned(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """What the lever does to the measures themselves, in the last month."""
    setting, how = WHOLE[name]
    changed, now = rows.copy(), rows["month"] == NOW
    for measure, by in how.items():
        values = rows.loc[now, measure]
        changed.loc[now, measure] = (
            values * by if isinstance(by, int) else values + int(setting) * rows.loc[now, by]
        )
    return changed


def test_features_follow_as_the_catalogue_computes_them() -> None:
    """One table of four worlds: today's, and one with each lever turned; users of each numbered apart."""
    rows = base_rows()
    worlds = [rows, *(turned(rows, name) for name in WHOLE)]
    stacked = pd.concat(
        [world.assign(user_id=world["user_id"] + 1000 * place) for place, world in enumerate(worlds)]
    )
    frame = pl.from_pandas(stacked).with_columns(pl.col("month").cast(pl.Date))
    made = as_features(frame, None, plan_of(RELATED))
    found = made.filter(pl.col("month") == NOW).sort("user_id").to_pandas()
    names = [feature.name for feature in RELATED]
    today = {name: found.loc[found["user_id"] < 1000, name].to_numpy(float) for name in names}
    for place, name in enumerate(WHOLE, 1):
        lever = next(lever for lever in LEVERS if lever.name == name)
        moved = lever.move(today, WHOLE[name][0])
        here = found[found["user_id"] // 1000 == place]
        for feature in names:
            np.testing.assert_allclose(
                moved.get(feature, today[feature]), here[feature].to_numpy(float), rtol=1e-9, err_msg=feature
            )
        assert any(not np.array_equal(moved[each], today[each], equal_nan=True) for each in moved)


def test_favourite_plays_never_exceed_plays() -> None:
    columns = {
        "number_of_tracks": np.array([10.0, 10.0, 10.0]),
        "number_of_tracks_in_favourite_genre": np.array([8.0, 0.0, 4.0]),
        "total_number_of_favourite_genres_listened": np.array([16.0, 0.0, 4.0]),
        **{f"favourite_plays_last_{n}_months": np.array([20.0, 5.0, 4.0]) for n in (3, 6, 12)},
    }
    lever = next(lever for lever in LEVERS if lever.name == "favourites")
    moved = lever.move(columns, 2.0)
    assert moved["number_of_tracks_in_favourite_genre"].tolist() == [10.0, 0.0, 8.0]
    assert moved["total_number_of_favourite_genres_listened"].tolist() == [20.0, 0.0, 8.0]
    assert moved["favourite_plays_last_6_months"].tolist() == [22.0, 5.0, 8.0]


def test_without_adverts_at_all_the_ratio_to_their_mean_is_unknown_as_in_the_catalogue() -> None:
    lever = next(lever for lever in LEVERS if lever.name == "adverts")
    columns = {name: np.array([3.0]) for name in lever.needs}
    moved = lever.move(columns, 0.0)
    assert np.isnan(moved["advertisements_to_6_month_mean"]).all()
    assert moved["advertisements_last_6_months"].tolist() == [0.0]


def test_every_lever_of_the_catalogue_can_follow_and_every_actionable_feature_has_one() -> None:
    kept, notes = usable(LEVERS, CATALOGUE, NAMES, NAMES)
    assert (kept, notes) == (LEVERS, ())


def _more(catalogue: tuple, **changes: object) -> tuple:
    """The catalogue with another feature made as number_of_advertisements is."""
    ads = next(feature for feature in catalogue if feature.name == "number_of_advertisements")
    return (*catalogue, replace(ads, **changes))


@pytest.mark.parametrize(
    ("catalogue", "at_hand", "order", "told"),
    [
        (
            _more(CATALOGUE, name="adverts_squared", actionable=False), NAMES, NAMES,
            "lever adverts is left alone: adverts_squared would have to follow, and no rule says how",
        ),
        (
            tuple(replace(f, actionable=f.name != "average_tempo" and f.actionable) for f in CATALOGUE),
            NAMES, NAMES,
            "lever tempo is left alone: average_tempo isn't declared actionable in the catalogue",
        ),
        (
            CATALOGUE, [name for name in NAMES if name != "plays_last_6_months"], NAMES,
            "lever popularity is left alone: table features has no plays_last_6_months",
        ),
        (
            CATALOGUE, NAMES, [name for name in NAMES if name != "average_energy"],
            "lever energy is left alone: the model sees nothing of what it moves",
        ),
    ],
)  # fmt: skip
def test_a_lever_whose_features_cant_follow_is_refused(
    catalogue: tuple, at_hand: list[str], order: list[str], told: str
) -> None:
    kept, notes = usable(LEVERS, catalogue, order, at_hand)
    assert told in notes
    assert told.split()[1] not in {lever.name for lever in kept}


def test_an_actionable_feature_without_a_lever_is_told() -> None:
    fewer: tuple[Lever, ...] = tuple(lever for lever in LEVERS if lever.name != "tempo")
    assert usable(fewer, CATALOGUE, NAMES, NAMES)[1] == (
        "average_tempo is actionable, but no lever moves it",
    )

"""User-months whose purchases follow the generator's own hazard, so that a changed world's truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import xgboost

from pozytywka_spark.config import Settings, Simulation
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.declared.trends import SPANS
from pozytywka_spark.models.booster import Trees
from pozytywka_spark.models.calibration import Calibrator
from pozytywka_spark.models.tree_parameters import tree_parameters
from pozytywka_spark.names import AUDIO_FEATURES, LABEL
from pozytywka_spark.simulation.bootstrap_models import Recipe, fit_replicate
from pozytywka_spark.simulation.levers import LEVERS
from pozytywka_spark.simulation.recommendations import Task
from pozytywka_spark.simulation.segment import CONTEXT, Model, Segment
from pozytywka_spark.synthetic import hazard

NEEDED = {*CONTEXT, *(name for lever in LEVERS for name in lever.needs), "number_of_likes", "tenure_days"}
ORDER = tuple(feature.name for feature in CATALOGUE if feature.name in NEEDED)
DROPPED = ",".join(feature.name for feature in CATALOGUE if feature.name not in NEEDED)
BREAKS = hazard.session_weight(np.array(0.0), np.array(20.0))  # of 20 tracks to come, no adverts among them
LEVEL = 0.000_3
MONTHS = tuple(date(2022, month, 1) for month in range(1, 7))
SMALL = Simulation(rows=200, neighbours=600, population=24, generations=14, bootstrap=6, min_support=0.85)


@dataclass(frozen=True)
class World:
    """A fitted model, and users of one more month with their true probabilities."""

    now: pd.DataFrame
    segment: Segment
    task: Task


def user_months(users: int, months: tuple[date, ...], seed: int = 1) -> pd.DataFrame:
    """Grain user and month: the features in `ORDER`, consistent with each other, `truth`, `label`."""
    drawn = np.random.default_rng(seed)
    frames = []
    for month in months:
        plays = np.round(drawn.gamma(2.0, 25.0, users)) + 3
        rate = drawn.beta(1.2, 3.0, users)
        frame = pd.DataFrame({"user_id": np.arange(1, users + 1), "month": month, "number_of_tracks": plays})
        ads = drawn.binomial(plays.astype(int), rate).astype(float)
        hours = plays * drawn.uniform(0.04, 0.06, users)
        favourite = drawn.binomial(plays.astype(int), drawn.beta(0.6, 4.2, users)).astype(float)
        popularity = np.clip(drawn.normal(45, 8, users), 0, 100)
        frame["number_of_advertisements"] = ads
        frame["advertisements_per_play"] = ads / plays
        frame["advertisements_per_hour_listened"] = ads / hours
        frame["longest_advertisement_run"] = np.minimum(ads, 1 + drawn.poisson(ads / 8))
        frame["advertisements_last_7_days"] = drawn.binomial(ads.astype(int), 0.25).astype(float)
        frame["listened_minutes"] = hours * 60
        frame["number_of_tracks_in_favourite_genre"] = favourite
        frame["total_number_of_favourite_genres_listened"] = favourite * drawn.integers(1, 3, users)
        frame["average_popularity"] = popularity
        frame["average_popularity_in_favourite_genres"] = np.where(favourite > 0, popularity + 2, np.nan)
        frame["number_of_likes"] = drawn.binomial(plays.astype(int), 0.2).astype(float)
        frame["tenure_days"] = drawn.uniform(0, 400, users)
        for months_back in SPANS:
            _trailing(frame, months_back, drawn)
        for attribute in sorted(AUDIO_FEATURES):
            centre, spread = {"tempo": (120, 10), "loudness": (-8, 2)}.get(attribute, (0.5, 0.1))
            frame[f"average_{attribute}"] = drawn.normal(centre, spread, users)
        frame["truth"] = true_probability(frame)
        frame[LABEL] = (drawn.random(users) < frame["truth"]).astype(float)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _trailing(frame: pd.DataFrame, months: int, drawn: np.random.Generator) -> None:
    """Sums over months whose earlier part doesn't depend on this month's adverts."""
    users = len(frame)
    plays = np.round(drawn.gamma(2.0, 25.0, users) * (months - 1))
    ads = drawn.binomial(plays.astype(int), drawn.beta(1.2, 3.0, users)) + frame["number_of_advertisements"]
    total = plays + frame["number_of_tracks"]
    favourite = np.round(plays * 0.12)
    popularity = np.full(users, 45.0)
    weight = frame["number_of_tracks"] / total
    last = f"last_{months}_months"
    frame[f"plays_{last}"] = total
    frame[f"advertisements_{last}"] = ads
    frame[f"advertisements_per_play_{last}"] = ads / total
    mean = np.where(ads > 0, months * frame["number_of_advertisements"] / np.where(ads > 0, ads, 1), np.nan)
    frame[f"advertisements_to_{months}_month_mean"] = mean
    frame[f"favourite_plays_{last}"] = favourite + frame["number_of_tracks_in_favourite_genre"]
    frame[f"popularity_{last}"] = popularity * (1 - weight) + frame["average_popularity"] * weight


def true_probability(frame: pd.DataFrame, adverts: float = 1.0) -> np.ndarray:
    """The chance of a purchase by the generator's hazard, were adverts multiplied by `adverts`."""
    plays = frame["number_of_tracks"].to_numpy()
    memory = hazard.Memory(
        adverts=frame["number_of_advertisements"].to_numpy() * adverts,
        likes=frame["number_of_likes"].to_numpy(),
        plays=plays,
        favourites=frame["number_of_tracks_in_favourite_genre"].to_numpy(),
        popularity=frame["average_popularity"].to_numpy() * plays,
    )
    eta = hazard.log_hazard(memory, np.full(len(frame), 6))
    return -np.expm1(-LEVEL * np.exp(eta) * BREAKS)


def fitted(
    rows: pd.DataFrame, settings: Settings, replicates: int, trees: int
) -> tuple[Model, tuple[Trees, ...]]:
    """Plain XGBoost on the rows, and the replicates that the stage would fit."""
    base = tree_parameters(settings, ORDER, 1.0)
    params = {**base, "objective": "binary:logistic", "nthread": 1}
    data = xgboost.DMatrix(rows[list(ORDER)].to_numpy(), label=rows[LABEL].to_numpy(), missing=np.nan)
    booster = bytes(xgboost.train(params, data, num_boost_round=trees).save_raw("ubj"))
    table = pa.table({name: rows[name].to_numpy() for name in ("user_id", LABEL, *ORDER)})
    how = Recipe(trees, base, 0.01)
    refits = tuple(fit_replicate(table, how, ORDER, 7, number) for number in range(1, replicates + 1))
    return Model(Trees(booster, trees), ORDER, Calibrator()), refits

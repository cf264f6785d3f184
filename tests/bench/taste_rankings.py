"""A world with taste, the baselines and the true chances, evaluated in memory: what bench_feed prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from scipy import sparse

from pozytywka_spark.config import Synthetic
from pozytywka_spark.config.feed import Feed
from pozytywka_spark.feed.evaluation.als import fit_als
from pozytywka_spark.feed.evaluation.judge import ALL, Judged, Tally, judge
from pozytywka_spark.feed.evaluation.rankings import HALF_LIFE_DAYS, LINEAR, Known, baselines, ranked
from pozytywka_spark.feed.item_model import fit, weighted_plays
from pozytywka_spark.feed.listening import DAY_US, Listening
from pozytywka_spark.feed.outcomes import outcomes_of
from pozytywka_spark.feed.track_side import GRAM_DAYS
from pozytywka_spark.months import start_micros
from pozytywka_spark.names import HEADS
from tests.worlds.taste_world import TasteWorld, taste_world

PLACES, FOREVER = 50, 1e9
TRUTH, TRUE_VALUE, FEED = "true_chances", "true_value", "feed"
TEST, DEVELOPMENT = date(2022, 7, 1), date(2022, 6, 1)
Rankings = dict[str, np.ndarray]


def bench_world(seed: int, users: int = 2000) -> TasteWorld:
    """2,000 users and 7 months."""
    settings = {"users": users, "months": 7, "seed": seed, "truth_paths": 0, "taste": {"on": True}}
    return taste_world(Synthetic.model_validate(settings))


@dataclass(frozen=True)
class Case:
    """A world at a cut-off whose 28 days after it are over."""

    world: TasteWorld
    cut_off: date
    horizon: int = 28

    @property
    def weights(self) -> np.ndarray:
        """Of the heads, as the settings have them."""
        return np.array([Feed().weights[head] for head in HEADS])

    def judged(self) -> Judged:
        """What everybody did before and after."""
        after = self.world.listeners(self.cut_off + timedelta(days=self.horizon)).listening
        at = start_micros(self.cut_off)
        catalogue = self.world.catalogue
        return Judged(
            users=self.world.users.height,
            artist=catalogue.artist,
            past=after.between(None, at),
            outcomes=outcomes_of(after, at, self.horizon, len(catalogue)),
            weights=self.weights,
            released=catalogue.released_day < at // DAY_US,
        )

    def plays(self, past: Listening, half_life_days: float) -> sparse.csr_matrix:
        """Users × tracks, each play weighing half after so many days."""
        age = start_micros(self.cut_off) - past.play_us
        shape = (self.world.users.height, len(self.world.catalogue))
        return weighted_plays(shape, past.play_user, past.play_track, age, half_life_days)

    def known(self, past: Listening) -> Known:
        """The baselines' models, as `evaluate` has them."""
        size, at, settings = len(self.world.catalogue), start_micros(self.cut_off), Feed()
        age = at - past.play_us
        plays = self.plays(past, GRAM_DAYS)
        return Known(
            plays=np.bincount(past.play_track, minlength=size),
            lately=np.bincount(past.play_track[age <= 28 * DAY_US], minlength=size),
            released=self.world.catalogue.released_day < at // DAY_US,
            factors=fit_als(self.plays(past, HALF_LIFE_DAYS)),
            linear=fit(plays, ridge=settings.ridge, most_tracks=settings.linear_tracks),
        )


def tally(case: Case, more: Mapping[str, np.ndarray] | None = None) -> Tally:
    """Baselines, true chances, and `more` rankings (users × tracks of scores, -inf what isn't ranked)."""
    judged = case.judged()
    known = case.known(judged.past)
    chances = case.world.chances(case.cut_off)
    done = np.stack([chances[head] for head in HEADS], axis=2)
    scores = {
        **baselines(judged.past, judged.users, known, start_micros(case.cut_off)),
        TRUTH: np.where(known.released, chances["play"], -np.inf),
        TRUE_VALUE: np.where(known.released, done @ case.weights, -np.inf),
        **(more or {}),
    }
    return judge_scores(judged, scores)


def judge_scores(judged: Judged, scores: Mapping[str, np.ndarray]) -> Tally:
    """Rankings by scores of all tracks, those of novel ones with everything played left out."""
    size = len(judged.artist)
    played = np.zeros((judged.users, size), dtype=bool)
    played[judged.past.play_user, judged.past.play_track] = True
    whole = {name: ranked(each, PLACES) for name, each in scores.items()}
    novel = {name: ranked(each, PLACES, excluded=played) for name, each in scores.items()}
    return judge(judged, whole, novel)


def linear_models(case: Case) -> Iterator[str]:
    """Lines: the linear model's novel plays @10, by recency as fitted, ridge, and recency as asked."""
    judged = case.judged()
    asked = (30.0, 60.0, 90.0, 180.0, 365.0, FOREVER)
    known = case.known(judged.past)
    at = start_micros(case.cut_off)
    yield "half-lives in days, as fitted and as asked " + " ".join(f"{days:g}" for days in asked)
    for fitted in (60.0, 90.0, 180.0, 365.0, FOREVER):
        plays = case.plays(judged.past, fitted)
        for ridge in (50, 100, 150, 250, 350, 500, 800):
            linear, found = fit(plays, ridge=ridge, most_tracks=Feed().linear_tracks), []
            for days in asked:
                one = replace(known, linear=linear, half_life_days=days)
                scores = baselines(judged.past, judged.users, one, at)[LINEAR]
                sums = judge_scores(judged, {LINEAR: scores}).sums
                found.append(f"{sums[(LINEAR, 'novel_plays_ndcg_10', ALL)].mean:.4f}")
            yield f"{fitted:g}, ridge {ridge}: {' '.join(found)}"


def figures(sums: Mapping[tuple[str, str, str], object], name: str, part: str = ALL) -> str:
    """A ranking's line."""
    metrics = [
        f"{scope}{kind}_ndcg_{k}" for kind in ("plays", "worth") for scope in ("", "novel_") for k in (10, 50)
    ]
    return "  ".join(f"{sums[(name, metric, part)].mean:.4f}" for metric in metrics)  # type: ignore[attr-defined]

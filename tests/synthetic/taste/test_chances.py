"""The true chances against what came true, and their formula against a plain draw of families."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.config import Synthetic
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.sessions import joining
from pozytywka_spark.synthetic.taste.ahead import SIZES, STAGES, Families, plays_ahead
from pozytywka_spark.synthetic.taste.chances import NAMES, chances_along, chances_of, cut_off_of
from tests.worlds.synthetic import events_table, planned

WORLD = Synthetic.model_validate(
    {"users": 500, "months": 7, "fraud": {"rings": 1}, "taste": {"on": True, "paths": 24, "told": 400}}
)


@pytest.fixture(scope="module")
def told() -> pd.DataFrame:
    plan = planned(WORLD)
    table = pd.DataFrame(chances_of(plan, 0))
    ids = catalogue_of(plan).tracks["id"]
    return table.assign(track=ids[table.track])


@pytest.fixture(scope="module")
def after() -> pd.DataFrame:
    """A row a user and track of the 28 days after the cut-off: what was done."""
    events = events_table(WORLD).sort_values(["user_id", "time"], kind="stable")
    start = pd.Timestamp(cut_off_of(planned(WORLD)))
    inside = events[(events.time >= start) & (events.time < start + pd.Timedelta(days=28))]
    counts = inside.groupby(["user_id", "track"]).kind.value_counts().unstack(fill_value=0)
    return pd.DataFrame(
        {
            "play": counts.PLAY > 0,
            "finish": counts.PLAY > counts.SKIP,
            "skip": counts.SKIP > 0,
            "like": counts.LIKE > 0,
            "again": counts.PLAY > 1,
        }
    )


@pytest.mark.thorough
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_what_came_true_is_as_often_as_was_told(
    told: pd.DataFrame, after: pd.DataFrame, name: str, before: bool
) -> None:
    """Of tracks that were played before and of others; errors within a user hang together."""
    events = events_table(WORLD)
    earlier = events[(events.kind == "PLAY") & (events.time < pd.Timestamp(cut_off_of(planned(WORLD))))]
    pairs = pd.MultiIndex.from_frame(told[["user_id", "track"]])
    known = pairs.isin(pd.MultiIndex.from_frame(earlier[["user_id", "track"]]))
    done = after[name].reindex(pairs, fill_value=False).to_numpy()
    some = told[known == before]
    off = (done[known == before] - some[name]).groupby(some.user_id).sum()
    assert abs(off.sum()) < 4 * np.sqrt((off**2).sum())
    assert abs(off.sum()) < 0.3 * some[name].sum()


@pytest.mark.thorough
def test_likelier_tracks_are_played_more_often(told: pd.DataFrame, after: pd.DataFrame) -> None:
    """In tenths of the chance to be played, from the least to the most."""
    done = after.play.reindex(
        pd.MultiIndex.from_frame(told[["user_id", "track"]]), fill_value=False
    ).to_numpy()
    tenth = pd.qcut(told.play.rank(method="first"), 10, labels=False)
    rates = pd.DataFrame({"told": told.play, "done": done}).groupby(tenth).mean()
    np.testing.assert_allclose(rates.done, rates.told, rtol=0.35, atol=0.002)
    assert rates.done.iloc[-1] > 20 * rates.done.iloc[0]


def test_only_tracks_that_are_out_and_no_cheats(told: pd.DataFrame) -> None:
    catalogue = catalogue_of(planned(WORLD))
    released = pd.Series(catalogue.tracks["release_date"], index=catalogue.tracks["id"])
    assert (told.track.map(released).str.ljust(10, "-") < str(cut_off_of(planned(WORLD)))).all()
    assert not told.duplicated(["user_id", "track"]).any()
    assert told.groupby("user_id").size().max() <= 400 + 200
    assert (told[list(NAMES)].to_numpy() >= 0).all()
    assert (told[list(NAMES)].to_numpy() <= 1).all()
    # the 20 accounts of the ring aren't there
    assert told.user_id.nunique() == 500 - 20


def test_paths_are_never_quiet_and_their_weights_are_the_chance_not_to_be() -> None:
    plan, rng = planned(WORLD), np.random.default_rng(3)
    active = np.array([[True, False, True], [False, False, True], [True, True, True], [False, False, False]])
    first = int(np.datetime64("2022-06-01", "ms").astype(np.int64))
    plays, weight = plays_ahead(plan, rng, active, np.full(4, 0.7), first, 200)
    how, join = plan.behaviour, joining(plan)
    arrives = join[5] / join[5:].sum()
    np.testing.assert_allclose(weight.sum(axis=1), [how.stay, how.comeback, 1.0, arrives])
    assert (plays[weight > 0] > 0).mean() > 0.9  # a session of the month may still fall after the 28 days
    middle = int(np.datetime64("2022-06-20", "ms").astype(np.int64))
    _, weight = plays_ahead(plan, rng, active, np.full(4, 0.7), middle, 200)
    quiet = (1 - weight.sum(axis=1))[:2]
    np.testing.assert_allclose(quiet, [(1 - how.stay) * (1 - how.comeback), (1 - how.comeback) ** 2])


def test_the_formula_equals_drawn_families() -> None:
    rng = np.random.default_rng(4)
    paths, count = 6, 3
    future = Families(
        weight=np.full(paths, 1 / paths),
        anew=rng.integers(0, 4, (paths, SIZES)).astype(float),
        past=rng.integers(0, 2, (paths, len(STAGES) * SIZES)).astype(float),
    )
    pick, past = rng.uniform(0.01, 0.2, count), rng.uniform(0.0, 0.15, (count, len(STAGES)))
    skip, like = rng.uniform(0.1, 0.6, count), rng.uniform(0.0, 0.5, count)
    found = np.array(chances_along(future, pick, past, skip, like, 0.3))
    times = 20_000
    drawn = np.zeros((len(NAMES), count))
    sizes = np.arange(1, SIZES + 1)
    for path in range(paths):
        for track in range(count):
            families = [(int(n), size, pick[track]) for n, size in zip(future.anew[path], sizes, strict=True)]
            for stage in range(len(STAGES)):
                of_stage = future.past[path, stage * SIZES : (stage + 1) * SIZES]
                families += [
                    (int(n), size, past[track, stage]) for n, size in zip(of_stage, sizes, strict=True)
                ]
            drawn[:, track] += _drawn(rng, families, skip[track], like[track], 0.3, times)
    np.testing.assert_allclose(found, drawn / paths, atol=0.01)


def _drawn(
    rng: np.random.Generator,
    families: list[tuple[int, int, float]],
    skip: float,
    like: float,
    mean_skip: float,
    times: int,
) -> np.ndarray:
    """How often each of NAMES comes true when every family picks the track by itself."""
    played, several = np.zeros(times, dtype=int), np.zeros(times, dtype=bool)
    done = np.zeros((3, times), dtype=bool)
    for number, size, chance in families:
        for _ in range(number):
            hit = rng.random(times) < chance
            played += hit
            if size > 1:
                several |= hit & (rng.random(times) < (1 - skip) / (1 - mean_skip))
            for row, share in enumerate((1 - skip, 1 - (1 - skip) ** size, 1 - (1 - like) ** size)):
                done[row] |= hit & (rng.random(times) < share)
    return np.array([(played > 0).mean(), *done.mean(axis=1), ((played > 1) | several).mean()])

"""Features beside a loop; examples, heads, calibration, light model and value on small worlds."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from pozytywka_spark.errors import DataError, GuardError
from pozytywka_spark.feed import light
from pozytywka_spark.feed.about import about
from pozytywka_spark.feed.heads import features as declared
from pozytywka_spark.feed.heads import perturbation
from pozytywka_spark.feed.heads.calibration import OwnRate, calibrated, sigmoid
from pozytywka_spark.feed.heads.examples import Examples, examples_of
from pozytywka_spark.feed.heads.features import NAMES, features_of
from pozytywka_spark.feed.heads.fit import How, fit_heads
from pozytywka_spark.feed.heads.model import HEADS_FILE, from_files
from pozytywka_spark.feed.inventory.collect import Wanted, collect
from pozytywka_spark.feed.inventory.sources import lists_of
from pozytywka_spark.feed.listening import DAY_US
from pozytywka_spark.feed.pairs import Pairs
from pozytywka_spark.feed.tastes import Sample, fit
from pozytywka_spark.feed.track_side import counts_of, tracks_of
from pozytywka_spark.feed.value import gain_of, parts_of, value_of
from pozytywka_spark.names import HEADS
from tests.feed.plain_model import CUT_OFF, TRACKS, USERS, ages, made

WEIGHTS = {"finish": 1.0, "skip": -1.0, "like": 2.0, "again": 1.0}


@pytest.mark.thorough
def test_features_beside_a_loop() -> None:
    listeners, catalogue, table = made(4)
    tracks = tracks_of(
        catalogue, counts_of(listeners, catalogue, CUT_OFF), CUT_OFF, ridge=1.0, most_tracks=10
    )
    known = about(listeners, tracks)
    pairs = collect(known, tracks, lists_of(tracks, 100), Wanted())
    found = features_of(pairs, known, tracks)
    plays = ages(table)
    plays["artist"] = catalogue.artist[plays.track]
    weight = 0.5 ** (plays.age / 90)
    for at in range(0, len(pairs), 7):
        user, track = int(pairs.user[at]), int(pairs.track[at])
        mine = plays[plays.user == user]
        own, by_artist = mine[mine.track == track], mine[mine.artist == catalogue.artist[track]]
        total = sum(weight[mine.index] * (catalogue.genres[mine.track] >= 0).sum(axis=1))
        shares = [
            weight[mine.index][(catalogue.genres[mine.track] == genre).any(axis=1)].sum()
            + weight[mine.index][(catalogue.genres[mine.track] == genre).all(axis=1)].sum()
            for genre in catalogue.genres[track]
            if genre >= 0
        ]
        expected = {
            "plays": len(own),
            "days": own.age.min() if len(own) else np.nan,
            "echo": (1 / own.since[~own.skipped]).sum(),
            "artist_long": weight[by_artist.index].sum(),
            "artist_tracks": by_artist.track.nunique(),
            "genre_sum": sum(shares) / max(total, 1e-6),
            "favourite": len(set(catalogue.genres[track]) & set(listeners.favourites[user]) - {-1}) > 0,
            "plays_28": (plays[plays.age < 28].track == track).sum(),
            "age_days": CUT_OFF // DAY_US - catalogue.released_day[track],
            "user_plays": len(mine),
            "city_share": 0
            if listeners.city[user] < 0
            else tracks.city[listeners.city[user], track] / tracks.city[listeners.city[user]].sum(),
        }
        place = np.searchsorted(tracks.model.track, track)
        inside = place < len(tracks.model.track) and tracks.model.track[place] == track
        long = np.minimum([weight[mine.index][mine.track == each].sum() for each in tracks.model.track], 1)
        expected["linear_long"] = long @ tracks.model.weight[:, place] if inside else 0
        for name, value in expected.items():
            assert found[NAMES.index(name), at] == pytest.approx(
                float(value), rel=1e-4, abs=1e-6, nan_ok=True
            ), name


@pytest.mark.thorough
def test_some_features_are_those_of_all() -> None:
    listeners, catalogue, _ = made()
    tracks = tracks_of(
        catalogue, counts_of(listeners, catalogue, CUT_OFF), CUT_OFF, ridge=1.0, most_tracks=10
    )
    known = about(listeners, tracks)
    pairs = collect(known, tracks, lists_of(tracks, 100), Wanted(5))
    every, some = features_of(pairs, known, tracks), features_of(pairs, known, tracks, light.NAMES)
    assert np.array_equal(some, every[[NAMES.index(name) for name in light.NAMES]], equal_nan=True)


def examples(seed: int = 1, pairs: int = 30_000) -> Examples:
    """Made: who likes often does, the first feature says the rest; of skips there are none."""
    rng = np.random.default_rng(seed)
    features = rng.random((len(NAMES), pairs)).astype(np.float32)
    user = np.sort(rng.integers(0, 300, pairs))
    own = rng.choice([0.0, 0.1, 0.3, 0.6, 0.9], 300)
    features[NAMES.index("user_like")] = own[user]
    features[NAMES.index("user_likes")] = own[user] * 100
    features[NAMES.index("user_plays")] = 200
    chance = np.stack(
        [0.5 * features[0], 0 * features[0], own[user] * features[0], 0.2 * features[0]], axis=1
    )
    done = rng.random(chance.shape) < chance
    return Examples(features, done, np.ones(pairs, np.float32), user, user % 3 == 0)


@pytest.mark.thorough
def test_heads_are_calibrated_personal_and_come_back_from_files() -> None:
    made_examples = examples()
    heads = fit_heads(made_examples, How(rounds=30))
    assert heads.trained == ("finish", "like", "again")
    again = from_files(heads.files())
    fresh = examples(2)
    chances = again.chances(fresh.features)
    assert np.array_equal(chances, heads.chances(fresh.features))
    assert not chances[:, HEADS.index("skip")].any()
    for head in heads.trained:
        column = HEADS.index(head)
        assert chances[:, column].mean() == pytest.approx(fresh.done[:, column].mean(), rel=0.1)
    own = fresh.features[NAMES.index("user_like")]
    like = HEADS.index("like")
    for rate in np.unique(own):
        mine = own == rate
        predicted, observed = chances[mine, like].mean(), fresh.done[mine, like].mean()
        assert abs(predicted - observed) < max(0.25 * observed, 0.001)


def test_a_model_of_other_features_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = fit_heads(examples(), How(rounds=2))
    files = heads.files()
    assert json.loads(files[HEADS_FILE])["names"] == list(NAMES)
    monkeypatch.setattr(declared, "NAMES", NAMES[::-1])
    with pytest.raises(GuardError, match="in another order"):
        from_files(files).chances(examples().features)


def test_no_examples_at_all() -> None:
    made_examples = examples()
    nothing = replace(made_examples, done=np.zeros_like(made_examples.done))
    with pytest.raises(DataError, match="no head has 20 examples"):
        fit_heads(nothing, How())


def test_calibration_finds_slope_and_groups() -> None:
    """Newcomers, whose rate is the usual one, do half of what others with that rate do."""
    rng = np.random.default_rng(1)
    pairs = 200_000
    user = np.sort(rng.integers(0, 1000, pairs))
    never, new = user < 100, (user >= 100) & (user < 500)
    own = np.where(new, 0.5, rng.random(1000)[user])
    margin = rng.normal(-1, 1.5, pairs)
    true = sigmoid(0.7 * margin - 0.5) * ~never * np.where(new, 0.5, 1.0)
    found = calibrated(margin, rng.random(pairs) < true, user, OwnRate(own, never, new))
    chance = found.apply(margin, OwnRate(own, never, new))
    assert chance[never].max() < 1e-3
    assert chance[new].mean() == pytest.approx(true[new].mean(), rel=0.05)
    for low in np.arange(0, 1, 0.2):
        mine = (own >= low) & (own < low + 0.2) & ~never & ~new
        assert chance[mine].mean() == pytest.approx(true[mine].mean(), rel=0.05)


@pytest.mark.thorough
def test_labels_past_the_cut_off_are_refused() -> None:
    listeners, catalogue, _ = made()
    tracks = tracks_of(
        catalogue, counts_of(listeners, catalogue, CUT_OFF), CUT_OFF, ridge=1.0, most_tracks=10
    )
    end = CUT_OFF + 28 * DAY_US
    found = examples_of(listeners, tracks, Wanted(), negatives=1.0, horizon_days=28, at_us=end)
    assert len(found) == USERS * (TRACKS - 1)
    with pytest.raises(GuardError, match="purge: labels from 1970-03-02 on run to 1970-03-30"):
        examples_of(listeners, tracks, Wanted(), negatives=1.0, horizon_days=28, at_us=end - 1)


@pytest.mark.thorough
def test_negatives_are_weighted_back() -> None:
    listeners, catalogue, _ = made()
    tracks = tracks_of(
        catalogue, counts_of(listeners, catalogue, CUT_OFF), CUT_OFF, ridge=1.0, most_tracks=10
    )
    few = examples_of(
        listeners, tracks, Wanted(), negatives=0.25, horizon_days=28, at_us=CUT_OFF + 28 * DAY_US
    )
    assert few.done.any(axis=1).sum() == few.done[few.weight == 1].any(axis=1).sum()
    assert set(few.weight.tolist()) == {1.0, 4.0}
    assert few.weight.sum() == pytest.approx(USERS * (TRACKS - 1), rel=0.25)


@pytest.mark.thorough
def test_a_planted_leak_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    listeners, catalogue, _ = made()
    perturbation.guard_counts(listeners, catalogue, CUT_OFF)
    tracks = tracks_of(
        catalogue, counts_of(listeners, catalogue, CUT_OFF), CUT_OFF, ridge=1.0, most_tracks=10
    )
    perturbation.guard_users(listeners, tracks, Wanted())
    # whoever looks at all events, not only at those before the cut-off
    monkeypatch.setattr(type(listeners), "before", lambda self, _: self)
    with pytest.raises(GuardError, match="perturbation"):
        perturbation.guard_users(listeners, tracks, Wanted())


def test_the_light_model_finds_a_value_that_is_a_sum_of_its_terms() -> None:
    rng = np.random.default_rng(1)
    users, each = 40, 200
    features = rng.random((len(light.NAMES), users * each)).astype(np.float32)
    terms = light.terms_of(features)
    user = np.repeat(np.arange(users), each)
    value = np.exp(3 * terms[5] + 2 * terms[9]) * rng.lognormal(0, 1, users)[user]
    model = light.distilled(terms, value, user)
    pairs = Pairs(np.arange(users), np.arange(users + 1) * each, np.tile(np.arange(each), users), user)
    score = np.asarray(model.weight) @ terms
    assert light.recall_of(score, value, pairs, 100, 50).mean() > 0.97
    assert light.from_files(model.files()[light.LIGHT_FILE]) == model


def test_first_and_recall_beside_a_loop() -> None:
    rng = np.random.default_rng(2)
    start = np.array([0, 7, 7, 30, 31])
    pairs = Pairs(np.arange(4), start, rng.permutation(31).astype(np.int32), np.zeros(31, np.uint16))
    score, value = rng.integers(0, 5, 31).astype(float), rng.random(31)
    chosen = light.first_of(score, pairs, 5)
    part = light.some_of(pairs, chosen)
    shares = []
    for user, (first, last) in enumerate(itertools.pairwise(start)):
        entries = sorted(range(first, last), key=lambda at: (-score[at], pairs.track[at]))[:5]
        assert np.flatnonzero(chosen[first:last]).tolist() == sorted(at - first for at in entries)
        assert part.track[part.start[user] : part.start[user + 1]].tolist() == [
            pairs.track[at] for at in sorted(entries)
        ]
        best = set(sorted(range(first, last), key=lambda at: -value[at])[:4])
        if last - first > 5:
            shares.append(len(best & set(entries)) / 4)
    assert light.recall_of(score, value, pairs, 5, 4).tolist() == shares


def test_tastes_find_groups_and_give_newcomers_one() -> None:
    rng = np.random.default_rng(3)
    users, artists = 200, 30
    group = np.arange(users) % 3
    likely = np.where(np.arange(artists)[None, :] % 3 == group[:, None], 10.0, 1.0)
    counts = np.stack([rng.multinomial(30, row / row.sum()) for row in likely]).astype(np.float32)
    favourites = sparse.csr_matrix(np.eye(3, dtype=np.float32)[group])
    tastes = fit(Sample(sparse.csr_matrix(counts), favourites))
    newcomers = sparse.csr_matrix((3, artists), dtype=np.float32)
    chances = np.exp(tastes.log_chances(newcomers, sparse.csr_matrix(np.eye(3, dtype=np.float32))))
    assert chances.sum(axis=1) == pytest.approx(1, rel=1e-4)
    for number in range(3):
        assert chances[number, number::3].sum() == pytest.approx(10 / 12, abs=0.1)


@pytest.mark.parametrize("users", [0, 1, 2, 3])
def test_tastes_of_hardly_anybody(users: int) -> None:
    firsts = sparse.csr_matrix(np.ones((users, 4), dtype=np.float32))
    tastes = fit(Sample(firsts, sparse.csr_matrix((users, 2), dtype=np.float32)))
    found = tastes.log_chances(firsts, sparse.csr_matrix((users, 2), dtype=np.float32))
    assert np.isfinite(found).all()


def test_value_and_gain() -> None:
    chances = np.array([[0.5, 0.2, 0.1, 0.0]])
    assert value_of(chances, WEIGHTS) == pytest.approx([0.5])
    assert parts_of(chances, WEIGHTS)[0].tolist() == pytest.approx([0.5, -0.2, 0.2, 0.0])
    done = np.array([[True, True, False, False], [False, True, False, False], [True, False, True, True]])
    assert gain_of(done, WEIGHTS).tolist() == [0, 0, 4]
    assert value_of(chances, {"like": 1}) == pytest.approx([0.1])

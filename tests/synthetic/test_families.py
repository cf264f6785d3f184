"""Worlds whose genres lie in families: artists mix within them, people like them, the truth knows it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.config import Synthetic
from pozytywka_spark.synthetic.catalogue import FAVOURITES, catalogue_of
from pozytywka_spark.synthetic.families import FAMILIES, family_of_genres
from pozytywka_spark.synthetic.life import life_of
from pozytywka_spark.synthetic.truth import truth_of
from tests.worlds.synthetic import planned

WORLD = Synthetic(users=3000, families=True)
PLAIN = WORLD.model_copy(update={"families": False})


def families() -> np.ndarray:
    return family_of_genres(np.random.default_rng([WORLD.seed, 0, 1]), WORLD.genres)


@pytest.mark.thorough
def test_a_world_without_families_is_the_one_it_was() -> None:
    assert "families" not in planned(PLAIN).stamp()
    assert '"families": true' in planned(WORLD).stamp()
    plain, other = catalogue_of(planned(PLAIN)), catalogue_of(planned(WORLD))
    assert (plain.artists["id"] == other.artists["id"]).all()
    assert (plain.genre_of != other.genre_of).any()


@pytest.mark.thorough
def test_artists_mix_genres_of_a_family_and_have_each_once() -> None:
    family, genre_of = families(), catalogue_of(planned(WORLD)).genre_of
    assert np.bincount(family[:FAVOURITES]).tolist() == [2] * FAMILIES
    alike = total = 0
    for row in genre_of:
        genres = row[row >= 0]
        assert len(set(genres)) == len(genres) > 0
        commonest = np.bincount(family[genres]).max()
        alike, total = alike + commonest, total + len(genres)
    assert 0.93 < alike / total < 0.98


@pytest.mark.thorough
def test_what_is_liked_is_the_family() -> None:
    """A play counts as a favourite's if the artist's genres are of a favourite's family: but for strays."""
    plan, family = planned(WORLD), families()
    catalogue, life = catalogue_of(plan), life_of(plan, 0)
    genres = catalogue.genre_of[catalogue.artist_of[life.plays.track]]
    of_play = np.array([np.bincount(family[row[row >= 0]]).argmax() for row in genres])
    user = life.sessions.user[life.plays.session]
    wanted = (family[life.people.favourites[user]] == of_play[:, None]).any(axis=1)
    assert (wanted == life.plays.favourite).mean() > 0.93
    exact = (genres[:, :, None] == life.people.favourites[user][:, None, :]).any(axis=(1, 2))
    assert exact[life.plays.favourite].mean() < 0.5, "mostly by no favourite's own name"


@pytest.mark.thorough
def test_what_came_true_agrees_with_the_probabilities() -> None:
    plan, tables = planned(WORLD), []
    for chunk in range(6):
        life = life_of(plan, chunk)
        table = pd.DataFrame(truth_of(plan, chunk, 30, paths=16))
        active = set(zip(life.people.user_id[life.sessions.user], life.sessions.month, strict=True))
        inside = [pair in active for pair in zip(table.user_id, table.month_index, strict=True)]
        tables.append(table[inside & table.mature])
    rows = pd.concat(tables)
    tenth = pd.qcut(rows.probability.rank(method="first"), 10, labels=False)
    for _, group in rows.groupby(tenth):
        p = group.probability.to_numpy()
        allowed = 4 * np.sqrt((p * (1 - p)).sum()) + 0.03 * p.sum()
        assert group.bought.sum() == pytest.approx(p.sum(), abs=allowed)

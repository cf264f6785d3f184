"""The headline world agrees with the real service's figures; looked up in a part of its users."""

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.synthetic.catalogue import Catalogue, catalogue_of
from pozytywka_spark.synthetic.events import EVENT_TYPES, events_of
from pozytywka_spark.synthetic.life import Life, life_of
from tests.worlds.synthetic import HEADLINE, planned

CHUNKS = 12  # of 40: 6,000 of the 20,000 users
USERS = 20_000
REAL = {
    "PLAY": 5_618_760,
    "SKIP": 1_672_489,
    "LIKE": 1_612_195,
    "ADVERTISEMENT": 1_279_933,
    "BUY_PREMIUM": 8_385,
    "sessions": 249_530,
}


@pytest.fixture(scope="module")
def lives() -> list[Life]:
    return [life_of(planned(HEADLINE), chunk) for chunk in range(CHUNKS)]


@pytest.fixture(scope="module")
def per_user(lives: list[Life]) -> pd.DataFrame:
    """One row a user: events of each type, and sessions."""
    tables = []
    for life in lives:
        events = events_of(planned(HEADLINE), life)
        counts = pd.crosstab(events.user, events.kind).rename(columns=dict(enumerate(EVENT_TYPES)))
        session = pd.DataFrame({"user": events.user, "id": events.session_id})
        tables.append(counts.assign(sessions=session.groupby("user").id.nunique()))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return catalogue_of(planned(HEADLINE))


@pytest.mark.thorough
@pytest.mark.parametrize("figure", REAL)
def test_figures_are_within_two_percent(figure: str, per_user: pd.DataFrame) -> None:
    """Within 2%, and what the sampling of users adds: three standard errors of this part's mean."""
    wanted = REAL[figure] / USERS
    noise = 3 * per_user[figure].std() / np.sqrt(len(per_user))
    assert abs(per_user[figure].mean() - wanted) < 0.02 * wanted + noise
    assert noise < 0.06 * wanted, "too few users to say anything"


@pytest.mark.thorough
def test_every_user_is_heard_of(per_user: pd.DataFrame) -> None:
    assert len(per_user) == CHUNKS * 500


def test_plays_have_the_real_skew(lives: list[Life], catalogue: Catalogue) -> None:
    """10,708 tracks ever played; a hundredth of them takes a third of the plays (sample: 31%)."""
    track = np.concatenate([life.plays.track for life in lives])
    plays = np.sort(np.bincount(track)[np.unique(track)])[::-1]
    assert len(plays) == 10_708
    assert 0.25 < plays[:107].sum() / plays.sum() < 0.40
    assert 0.002 < plays[0] / plays.sum() < 0.01
    assert 41 < catalogue.tracks["popularity"][track].mean() < 50  # sample: 45.7


def test_favourites_have_the_real_share(lives: list[Life]) -> None:
    """Plays whose artist has a favourite genre: 13.9% in the sample, most users far below, some far above."""
    share = [life.plays.favourite.mean() for life in lives]
    assert 0.11 < np.mean(share) < 0.19


def test_the_catalogue_has_the_real_size_and_shape(catalogue: Catalogue) -> None:
    tracks = catalogue.tracks
    assert len(set(tracks["id"])) == 129_648
    assert len(set(catalogue.artists["id"])) == 27_524
    assert len(set(catalogue.genres)) == 3_912
    assert set(tracks["id_artist"]) == set(catalogue.artists["id"])
    precision = pd.Series(tracks["release_date"]).str.len().value_counts(normalize=True)
    assert precision[10] == pytest.approx(0.766, abs=0.01)
    assert precision[4] == pytest.approx(0.229, abs=0.01)
    kinds = pd.Series(catalogue.storage["storage_class"]).value_counts()
    assert kinds["SLOW"] / 129_648 == pytest.approx(0.9897, abs=0.002)
    assert 0 < kinds["FAST"] < 50 < kinds["MEDIUM"]
    assert 0.02 < (tracks["popularity"] == 0).mean() < 0.06  # a peak at zero: 3.4% in the sample
    assert 0.30 < (tracks["instrumentalness"] == 0).mean() < 0.42  # 35.8%
    assert tracks["duration_ms"].max() < 7_200_000
    assert tracks["loudness"].max() <= 0

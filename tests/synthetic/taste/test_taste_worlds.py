"""Worlds with taste: who picks what, what comes back, what is new; and all other worlds are as they were."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.config import Synthetic
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.parts import PARTS
from pozytywka_spark.synthetic.people import people_of
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.taste.picks import offer_of, weights_in
from pozytywka_spark.synthetic.taste.vectors import artist_vectors, habits_of
from tests.worlds.synthetic import TINY, events_table, planned

# of worlds as they were made before there was taste: their stamps and all their lines
BEFORE = {
    "plain": "e238833dd1451f5c13be4d94c04dfe19883ff1c5d14227de0f50d282eff802b7",
    "fraud": "f5892e583b98500f2482139a281dad857659e1077bee4ac34a86272ead3f1664",
}
FRAUD = {"rings": 1, "accounts": 10, "fans": 3, "bots": 2}


def with_taste(**options: object) -> Synthetic:
    return Synthetic.model_validate({"users": 500, "months": 7, "taste": {"on": True}, **options})


@pytest.mark.thorough
@pytest.mark.parametrize("kind", BEFORE)
def test_worlds_without_taste_are_the_same_bytes_as_before_stamp_included(kind: str) -> None:
    options = {"fraud": FRAUD, "drift": {"from_month": "2022-03"}} if kind == "fraud" else {}
    plan = planned(Synthetic.model_validate({**TINY.model_dump(exclude_unset=True), **options}))
    digest = hashlib.sha256(plan.stamp().encode())
    for make in PARTS.values():
        for line in make(plan, 0)[0].to_pylist():
            digest.update(line.encode() + b"\n")
    assert digest.hexdigest() == BEFORE[kind]


def test_which_chances_are_told_is_no_part_of_the_world() -> None:
    told = with_taste(taste={"on": True, "cut_off": "2022-05-01", "paths": 8, "told": 50})
    assert Plan(told).stamp() == Plan(with_taste()).stamp()
    assert Plan(with_taste(taste={"on": True, "strength": 3})).stamp() != Plan(with_taste()).stamp()


def plays_of(world: Synthetic) -> pd.DataFrame:
    events = events_table(world)
    return events[events.kind == "PLAY"].reset_index(drop=True)


@pytest.mark.thorough
def test_nobody_plays_a_track_before_it_is_out_whoever_they_are() -> None:
    world = with_taste(fraud={"rings": 2, "accounts": 15, "fans": 30, "bots": 10, "sleepers": 5})
    catalogue = catalogue_of(planned(world))
    released = pd.Series(catalogue.tracks["release_date"], index=catalogue.tracks["id"])
    date = plays_of(world).track.map(released)
    to_the_day = date.str.len() == 10
    assert (pd.to_datetime(date[to_the_day]) <= plays_of(world).time[to_the_day]).all()
    assert (date[~to_the_day].str[:4].astype(int) < world.start.year).all()
    late = pd.to_datetime(released[released.str.len() == 10])
    late = late[late >= pd.Timestamp(world.start)]
    assert (late.dt.dayofweek == 4).all()
    assert len(late) == round(world.taste.fresh * world.played_tracks * world.months)


@pytest.mark.thorough
def test_rings_play_their_tracks_whatever_the_others_taste() -> None:
    world = with_taste(fraud={"rings": 2, "accounts": 15, "tracks": 4})
    people = people_of(planned(world), 0)
    ring = pd.Series(people.ring, index=people.user_id)
    plays = plays_of(world).assign(ring=lambda table: table.user_id.map(ring))
    for _, of_ring in plays[plays.ring >= 0].groupby("ring"):
        assert of_ring.track.value_counts(normalize=True)[:4].sum() > 0.9


@pytest.mark.thorough
def test_people_play_artists_that_are_near_them() -> None:
    world = with_taste()
    plan = planned(world)
    catalogue, people = catalogue_of(plan), people_of(plan, 0)
    vectors, habits = artist_vectors(plan, catalogue), habits_of(plan, people)
    artist_of = pd.Series(catalogue.artist_of, index=catalogue.tracks["id"])
    plays = plays_of(world)
    user, artist = plays.user_id.to_numpy() - people.user_id[0], plays.track.map(artist_of).to_numpy()
    near = (habits.vector[user] * vectors[artist]).sum(axis=1)
    anyones = (habits.vector[np.roll(user, len(user) // 2)] * vectors[artist]).sum(axis=1)
    assert near.mean() > 0.5
    assert anyones.mean() < 0.3


@pytest.mark.thorough
def test_a_quarter_never_likes_and_tracks_come_back_as_often_as_asked_for() -> None:
    world = with_taste()
    people = people_of(planned(world), 0)
    assert (people.like == 0).mean() == pytest.approx(0.25, abs=0.08)
    events = events_table(world)
    likers = set(events[events.kind == "LIKE"].user_id)
    assert not likers & set(people.user_id[people.like == 0])
    for share in (0.2, 0.6):
        plays = plays_of(with_taste(taste={"on": True, "repeats": share, "strength": 1}))
        again = plays.duplicated(["user_id", "track"])
        later = plays.groupby("user_id").cumcount() >= 30
        # some copies aim at what was skipped, and fail; some of what is picked anew was played before
        assert 0.6 * share < again[later].mean() < share + 0.15


@pytest.mark.thorough
def test_fresh_releases_are_picked_more_and_fade() -> None:
    plan = planned(with_taste())
    offer = offer_of(plan, catalogue_of(plan))
    fresh = np.flatnonzero(offer.week > 0)[:5]
    for track in fresh.tolist():
        week = int(offer.week[track])
        weights = [weights_in(plan, offer, week + age)[track] for age in (-1, 0, 3, 300)]
        boost = plan.world.taste.fresh_boost
        np.testing.assert_allclose(weights[:3], offer.weight[track] * np.array([0, 1 + boost, 1 + boost / 2]))
        assert weights[3] == pytest.approx(offer.weight[track])


def test_more_releases_than_the_catalogue_has_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match=r"synthetic\.taste\.fresh"):
        with_taste(tracks=1000, played_tracks=1000)

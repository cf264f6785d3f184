"""Accounts that cheat, and those that look like it, do what the truth says; nobody else changes."""

import json
from functools import cache

import pandas as pd
import pytest

from pozytywka_spark.config import Synthetic
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.who import accounts_of
from tests.worlds.synthetic import events_table, planned

CHUNKS = 2
COUNTS = {
    "bots": 12, "skimmers": 10, "hijacked": 15, "quick_buyers": 20,
    "fans": 30, "sleepers": 12, "quick_stayers": 20,
}  # fmt: skip
WORLD = Synthetic.model_validate({"users": 1000, "fraud": COUNTS})
KINDS = ("bot", "skimmer", "hijacked", "quick_buyer", "fan", "sleeper", "quick_stayer")


@cache
def accounts() -> pd.DataFrame:
    plan = planned(WORLD)
    told = pd.DataFrame([vars(account) for chunk in range(CHUNKS) for account in accounts_of(plan, chunk)])
    for name in ("starts", "ends", "bought", "charged_back"):
        told[name] = pd.to_datetime(told[f"{name}_ms"], unit="ms")
    return told


@cache
def events() -> pd.DataFrame:
    return events_table(WORLD, CHUNKS).merge(accounts(), on="user_id", how="left")


def of(kind: str, event: str = "PLAY") -> pd.DataFrame:
    """Events of a kind of account while it is what it is."""
    every = events()
    return every[(every["kind_y"] == kind) & (every["kind_x"] == event) & (every.time >= every.starts)
                 & (every.time < every.ends)]  # fmt: skip


@pytest.mark.thorough
def test_there_are_as_many_as_asked_for() -> None:
    assert accounts().kind.value_counts().to_dict() == dict(zip(KINDS, COUNTS.values(), strict=True))
    assert accounts().user_id.is_unique
    assert set(accounts().kind[accounts().bad]) == {"bot", "skimmer", "hijacked", "quick_buyer"}
    assert (accounts().starts < accounts().ends).all()


@pytest.mark.thorough
def test_all_others_live_as_they_did() -> None:
    concerned = set(accounts().user_id)
    with_cheats, without = (
        (table := events_table(world, CHUNKS))[~table.user_id.isin(concerned)].reset_index(drop=True)
        for world in (WORLD, Synthetic(users=1000))
    )
    pd.testing.assert_frame_equal(with_cheats, without)


@pytest.mark.thorough
def test_session_ids_stay_unique() -> None:
    assert (events().groupby("session_id").user_id.nunique() == 1).all()


@pytest.mark.thorough
def test_bots_loop_their_few_tracks_at_all_hours() -> None:
    plays = of("bot")
    assert all(track in tracks for track, tracks in zip(plays.track, plays.tracks, strict=True))
    assert plays.groupby("user_id").track.nunique().max() <= 4
    assert (plays.groupby(plays.time.dt.hour).size() > len(plays) / 60).all()
    assert of("bot", "LIKE").empty


def test_skimmers_skip_once_a_play_counts() -> None:
    skips = of("skimmer", "SKIP")
    assert len(skips) > 0.8 * len(of("skimmer"))
    every = events()
    after = (every.time - every.groupby("session_id").time.shift(1)).dt.total_seconds()
    listened = after[skips.index]
    assert listened.between(31, 36).all()


@pytest.mark.thorough
def test_an_account_is_hijacked_for_some_weeks_and_honest_before_and_after() -> None:
    every = events()
    mine = every[every.kind_y == "hijacked"]
    weeks = accounts()[accounts().kind == "hijacked"]
    assert (weeks.ends - weeks.starts).dt.days.between(1, 57).all()
    others = mine[(mine.time < mine.starts) | (mine.time >= mine.ends)]
    before = others[others.time < others.starts].user_id.nunique()
    assert before > 0.9 * len(weeks)
    plain = events_table(Synthetic(users=1000), CHUNKS)
    keys = ["user_id", "track", "kind"]
    ordinary = plain.groupby(keys).size()
    assert (others.groupby(["user_id", "track", "kind_x"]).size() <= ordinary.reindex(
        others.groupby(["user_id", "track", "kind_x"]).size().index).fillna(0)).all()  # fmt: skip
    night = of("hijacked")
    stolen = night[[track in tracks for track, tracks in zip(night.track, night.tracks, strict=True)]]
    assert len(stolen) > 0.9 * len(night)


def test_both_quick_buyers_buy_alike_but_one_is_charged_back() -> None:
    everyone = events()
    first = everyone.groupby("user_id").session_id.min()
    for kind in ("quick_buyer", "quick_stayer"):
        bought = everyone[(everyone.kind_y == kind) & (everyone.kind_x == "BUY_PREMIUM")]
        assert len(bought) == 20
        assert (bought.session_id == bought.user_id.map(first)).all()
        assert (bought.time == bought.bought).all()
    thieves = accounts()[accounts().kind == "quick_buyer"]
    charged = thieves.dropna(subset="charged_back")
    assert len(charged) >= 15
    assert (charged.charged_back == charged.ends).all()
    assert ((charged.charged_back - charged.bought).dt.days.between(9, 46)).all()
    theirs = everyone[everyone.kind_y == "quick_buyer"]
    assert (theirs.time < theirs.ends + pd.Timedelta("4h")).all()
    assert accounts()[accounts().kind != "quick_buyer"].charged_back.isna().all()


def test_fans_share_artists_and_buy_like_anyone() -> None:
    catalogue = catalogue_of(planned(WORLD))
    artist = dict(zip(catalogue.tracks["id"], catalogue.tracks["id_artist"], strict=True))
    plays = of("fan")
    devoted = plays.track.map(artist) == plays.artist
    assert 0.5 < devoted.mean() < 0.85
    assert plays.artist.nunique() == 2
    assert accounts()[accounts().kind == "fan"].artist.notna().all()


def test_sleepers_play_five_tracks_nightly_and_live_by_day() -> None:
    plays = of("sleeper")
    asleep = plays[[track in tracks for track, tracks in zip(plays.track, plays.tracks, strict=True)]]
    assert (asleep.groupby("user_id").track.nunique() <= 5).all()
    assert len(asleep) > 0.7 * len(plays)
    assert (asleep.time.dt.hour.isin([21, 22, 23, 0, 1, 2])).mean() > 0.9
    assert len(of("sleeper", "LIKE")) > 0


@pytest.mark.thorough
@pytest.mark.parametrize("camouflage", [0.05, 0.7])
def test_rings_hide_behind_ordinary_plays(camouflage: float) -> None:
    fraud = {"rings": 2, "accounts": 15, "tracks": 4, "camouflage": camouflage}
    world = Synthetic.model_validate({"users": 1000, "fraud": fraud})
    plan = planned(world)
    told = pd.DataFrame([vars(account) for chunk in range(CHUNKS) for account in accounts_of(plan, chunk)])
    assert told.ring.value_counts().to_dict() == {0: 15, 1: 15}
    plays = (
        events_table(world, CHUNKS).query("kind == 'PLAY'").merge(told, on="user_id", suffixes=("", "_of"))
    )
    own = [track in tracks for track, tracks in zip(plays.track, plays.tracks, strict=True)]
    assert sum(own) / len(own) == pytest.approx(1 - camouflage, abs=0.03)


@pytest.mark.thorough
def test_a_world_without_them_carries_the_stamp_it_always_had() -> None:
    assert set(json.loads(planned(Synthetic()).stamp())["world"]["fraud"]) == {"rings", "accounts", "tracks"}
    assert "bots" in json.loads(planned(WORLD).stamp())["world"]["fraud"]

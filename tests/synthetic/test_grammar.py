"""The grammar of events, read off the real deliveries, held by every event of a made world."""

import numpy as np
import pandas as pd
import pytest

from pozytywka_spark.config import Synthetic
from pozytywka_spark.synthetic.catalogue import catalogue_of
from tests.worlds.synthetic import SMALL, events_table, planned

NEVER = pd.Timestamp.max


def grammar_errors(events: pd.DataFrame, duration_ms: "pd.Series[int]") -> dict[str, int]:
    """How many events break each rule; `duration_ms` by track id."""
    e = events.copy()
    by_session = e.groupby("session_id", sort=False)
    e["next_kind"] = by_session.kind.shift(-1).fillna("END")
    e["previous_kind"] = by_session.kind.shift(1).fillna("START")
    e["previous_track"] = by_session.track.shift(1)
    e["wait"] = (by_session.time.shift(-1) - e.time).dt.total_seconds()
    e["play"] = (e.kind == "PLAY").cumsum()
    started = e.groupby("play").time.transform("first")
    e["into_play"] = (e.time - started).dt.total_seconds() * 1000
    bought = e[e.kind == "BUY_PREMIUM"].groupby("user_id").time.min()
    e["bought"] = e.user_id.map(bought).fillna(NEVER)
    music = e.kind.isin(["PLAY", "LIKE", "SKIP"])
    like, skip, advert, buy = (e.kind == kind for kind in ("LIKE", "SKIP", "ADVERTISEMENT", "BUY_PREMIUM"))
    ends = e.next_kind == "END"
    sessions = e.groupby("session_id").agg(
        user=("user_id", "first"), start=("time", "min"), end=("time", "max")
    )
    following = sessions.sort_values(["user", "start"])
    overlap = (following.user == following.user.shift()) & (following.start < following.end.shift())
    return {
        "a session with two users": int((by_session.user_id.nunique() > 1).sum()),
        "times out of order": int((by_session.time.diff().dt.total_seconds() < 0).sum()),
        "sessions of a user that overlap": int(overlap.sum()),
        "a session that starts with no play": int((by_session.kind.first() != "PLAY").sum()),
        "music without a track": int((music & (e.track == "")).sum()),
        "advert or purchase with a track": int((~music & (e.track != "")).sum()),
        "like or skip of another track than the one played": int(
            ((like | skip) & (e.track != e.previous_track)).sum()
        ),
        "like not after a play": int((like & (e.previous_kind != "PLAY")).sum()),
        "skip not after a play or like": int((skip & ~e.previous_kind.isin(["PLAY", "LIKE"])).sum()),
        "like or skip after the track's end": int(
            ((like | skip) & (e.into_play > e.track.map(duration_ms))).sum()
        ),
        "like at the very start": int((like & (e.into_play <= 0)).sum()),
        "skip not tied with what follows": int((skip & ~ends & (e.wait != 0)).sum()),
        "skip followed by no play or advert": int(
            (skip & ~e.next_kind.isin(["PLAY", "ADVERTISEMENT", "END"])).sum()
        ),
        "advert not of 5 to 30 whole seconds": int((advert & ~ends & ~e.wait.isin(range(5, 31))).sum()),
        "advert followed by no play or purchase": int(
            (advert & ~e.next_kind.isin(["PLAY", "BUY_PREMIUM", "END"])).sum()
        ),
        "advert after the purchase": int((advert & (e.time > e.bought)).sum()),
        "second purchase": int(buy.sum() - e[buy].user_id.nunique()),
        "purchase right after a skip": int((buy & (e.previous_kind == "SKIP")).sum()),
        "second like of a track": int(e[like].duplicated(["user_id", "track"]).sum()),
        "sessions not of whole seconds at the start": int(
            (by_session.time.first().dt.microsecond != 0).sum()
        ),
        "one event twice": int(e.duplicated(["time", "user_id", "track", "kind", "session_id"]).sum()),
    }


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    return events_table(SMALL, chunks=2)


@pytest.fixture(scope="module")
def durations() -> "pd.Series[int]":
    tracks = catalogue_of(planned(SMALL)).tracks
    return pd.Series(tracks["duration_ms"], index=tracks["id"])


@pytest.mark.thorough
def test_no_event_breaks_the_grammar(events: pd.DataFrame, durations: "pd.Series[int]") -> None:
    assert {rule: count for rule, count in grammar_errors(events, durations).items() if count} == {}


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nor_with_other_seeds_and_every_option(seed: int) -> None:
    world = Synthetic.model_validate(
        {
            "users": 200,
            "months": 5,
            "seed": seed,
            "tracks": 150,
            "played_tracks": 60,  # few tracks: the same one often follows itself
            "artists": 60,
            "drift": {"from_month": "2022-03", "adverts": 3.0},
            "experiment": {"from_month": "2022-02"},
            "fraud": {"rings": 2, "accounts": 10},
        }
    )
    tracks = catalogue_of(planned(world)).tracks
    errors = grammar_errors(events_table(world), pd.Series(tracks["duration_ms"], index=tracks["id"]))
    assert {rule: count for rule, count in errors.items() if count} == {}


@pytest.mark.thorough
def test_the_rules_notice_broken_events(events: pd.DataFrame, durations: "pd.Series[int]") -> None:
    """Each kind of damage trips the rule that is there for it."""
    some = events.head(20_000)

    def broken(**columns: object) -> set[str]:
        damaged = some.assign(**columns)
        return {rule for rule, count in grammar_errors(damaged, durations).items() if count}

    assert grammar_errors(some, durations)["times out of order"] == 0
    skips, adverts = some.kind == "SKIP", some.kind == "ADVERTISEMENT"
    second = some.index[some.session_id == some.session_id.iloc[0]][1]
    assert "skip not tied with what follows" in broken(time=some.time - skips * pd.Timedelta(seconds=1))
    assert "advert not of 5 to 30 whole seconds" in broken(
        time=some.time - adverts * pd.Timedelta(seconds=31)
    )
    assert "a session with two users" in broken(user_id=some.user_id.where(some.index != second, 7))
    assert "advert or purchase with a track" in broken(track=some.track.replace("", "x"))
    assert "second purchase" in broken(kind=some.kind.replace("LIKE", "BUY_PREMIUM"))
    assert "advert after the purchase" in broken(kind=some.kind.where(some.index != second, "BUY_PREMIUM"))


@pytest.mark.thorough
def test_purchases_mostly_follow_an_advert(events: pd.DataFrame) -> None:
    previous = events.groupby("session_id").kind.shift(1)[events.kind == "BUY_PREMIUM"]
    assert 0.6 < (previous == "ADVERTISEMENT").mean() < 0.95


def test_sessions_cross_midnight_and_the_end_of_a_month(events: pd.DataFrame) -> None:
    """The boundary cases that features must get right are there, if rare."""
    spans = events.groupby("session_id").time.agg(["min", "max"])
    assert (spans["min"].dt.day != spans["max"].dt.day).sum() > 50
    assert (spans["min"].dt.month != spans["max"].dt.month).sum() > 0


def test_nothing_happens_outside_the_world(events: pd.DataFrame) -> None:
    assert events.time.min() >= pd.Timestamp("2022-01-01")
    assert events.time.max() < pd.Timestamp("2023-03-01")
    assert np.array_equal(np.unique(events.user_id), np.arange(101, 1101))

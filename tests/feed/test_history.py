"""What users did, and their habits, beside pandas."""

from __future__ import annotations

import numpy as np
import pytest

from pozytywka_spark.feed.history import Usual, habits_of, past_of_artists, past_of_tracks
from tests.feed.plain_model import ARTISTS, CUT_OFF, TRACKS, ages, made


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("by", ["track", "artist"])
def test_past(seed: int, by: str) -> None:
    listeners, catalogue, table = made(seed)
    before = listeners.before(CUT_OFF).listening
    plays = ages(table)
    plays["thing"] = plays.track if by == "track" else catalogue.artist[plays.track]
    past = (
        past_of_tracks(before, CUT_OFF, TRACKS)
        if by == "track"
        else past_of_artists(before, CUT_OFF, catalogue.artist, ARTISTS)
    )
    rows = list(plays.groupby(["user", "thing"]))
    assert len(past) == len(rows)
    for at, ((user, thing), group) in enumerate(rows):
        assert (past.user[at], past.thing[at]) == (user, thing)
        expected = {
            "plays": len(group),
            "long": (0.5 ** (group.age / 90)).sum(),
            "short": (0.5 ** (group.age / 14)).sum(),
            "days": group.age.min(),
            "skipped": group.skipped.mean(),
            "likes": group.liked.sum(),
            "tracks": group.track.nunique(),
            "echo": (1 / group.since[~group.skipped]).sum(),
        }
        for name, value in expected.items():
            assert getattr(past, name)[at] == pytest.approx(value, rel=1e-5), name


@pytest.mark.thorough
def test_habits() -> None:
    listeners, _, table = made(3)
    plays = ages(table)
    usual = Usual(finish=0.6, skip=0.3, like=0.1, repeat=0.4)
    habits = habits_of(listeners.before(CUT_OFF), CUT_OFF, usual, strength=5.0)
    plays["new"] = ~plays.duplicated(["user", "track"])
    for user, group in plays.groupby("user"):
        late = group[group.age < 28]
        expected = {
            "plays": len(group),
            "plays_28": len(late),
            "tracks": group.track.nunique(),
            "likes": group.liked.sum(),
            "days_28": late.us.floordiv(86_400_000_000).nunique(),
            "days": group.age.min(),
            "finish": ((~group.skipped).sum() + 5 * 0.6) / (len(group) + 5),
            "skip": (group.skipped.sum() + 5 * 0.3) / (len(group) + 5),
            "like": (group.liked.sum() + 5 * 0.1) / (len(group) + 5),
            "repeat": ((~group.new).sum() + 5 * 0.4) / (len(group) + 5),
        }
        for name, value in expected.items():
            assert getattr(habits, name)[user] == pytest.approx(value, rel=1e-5), name


@pytest.mark.thorough
def test_somebody_without_events_has_what_is_usual() -> None:
    listeners, _, _ = made()
    habits = habits_of(listeners.before(-1), CUT_OFF, Usual())
    assert not habits.plays.any()
    assert np.isnan(habits.days).all()
    assert habits.like == pytest.approx(0.05)

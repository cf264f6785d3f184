"""Settings of made worlds."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from pozytywka_spark.config.base import Month, Section, decides
from pozytywka_spark.config.rhythm import Outages, Rhythm
from pozytywka_spark.config.taste import Taste
from pozytywka_spark.config.texts import Texts

Rate = Annotated[float, Field(ge=0, le=0.5)]


class Dirt(Section):
    """Defects planted into a synthetic delivery: the chance of each per line that can have it."""

    lower_case_event_type: Rate = 0.0
    misspelt_advertisement: Rate = 0.0
    null_user_id: Rate = 0.0
    null_track_id: Rate = 0.0
    null_event_type: Rate = 0.0
    orphan_user: Rate = Field(0.0, description="whole sessions of a user that the users file lacks")
    orphan_track: Rate = Field(0.0, description="plays of a track that the tracks file lacks")
    repeated_like: Rate = 0.0
    second_purchase: Rate = 0.0
    bad_timestamp: Rate = 0.0
    null_favourite_genres: Rate = 0.0
    null_premium_user: Rate = 0.0
    stray_id: Rate = 0.0
    premium_without_purchase: Rate = 0.0
    purchase_without_premium: Rate = 0.0
    null_genres: Rate = 0.0
    minus_one_id: Rate = Field(0.0, description="artists and tracks")
    null_id: Rate = Field(0.0, description="tracks")
    null_id_artist: Rate = 0.0
    orphan_artist: Rate = 0.0
    zero_tempo: Rate = 0.0
    zero_audio: Rate = 0.0
    loud: Rate = Field(0.0, description="tracks above 0 dB")
    orphan_storage: Rate = 0.0
    broken_json: Rate = Field(0.0, description="all files")
    wrong_type: Rate = Field(0.0, description="all files")
    duplicate_row: Rate = Field(0.0, description="all files")


class Drift(Section):
    """How a synthetic world changes, for everyone and for good; nothing changes unless a month is given."""

    from_month: Month | None = None
    adverts: float = Field(1.5, gt=0, le=10, description="factor on everyone's chance of an advert")
    log_hazard: float = Field(0.0, ge=-5, le=5, description="added to the log of the purchase hazard")


class SyntheticExperiment(Section):
    """An experiment in a synthetic world with a known effect; none unless a month is given."""

    from_month: Month | None = None
    share: float = Field(0.5, gt=0, lt=1, description="chance of each user to be treated, for life")
    adverts: float = Field(0.7, ge=0, le=10, description="factor on the treated users' chance of an advert")
    log_hazard: float = Field(0.0, ge=-5, le=5, description="added to the log of their purchase hazard")


class Fraud(Section):
    """Accounts that cheat, and honest ones that look like them."""

    rings: int = Field(0, ge=0, description="of accounts that play the same few tracks over and over")
    accounts: int = Field(20, ge=2, le=500, description="of each ring")
    tracks: int = Field(6, ge=1, description="that a ring plays")
    camouflage: float = Field(
        0.05, ge=0, le=0.9, description="share of a ring's plays that are ordinary ones"
    )
    bots: int = Field(0, ge=0, description="lone accounts that loop a few tracks, day and night")
    skimmers: int = Field(
        0, ge=0, description="accounts that skip after 31 to 36 seconds, when a play counts"
    )
    hijacked: int = Field(0, ge=0, description="accounts that someone else plays with at night, for weeks")
    quick_buyers: int = Field(0, ge=0, description="accounts that buy at once, charged back later")
    lasting: float = Field(0.5, ge=0, le=1, description="chance of a bot or skimmer to go on to the end")
    fans: int = Field(0, ge=0, description="honest accounts that mostly play one artist, as others do")
    sleepers: int = Field(0, ge=0, description="honest accounts that fall asleep to the same five tracks")
    quick_stayers: int = Field(0, ge=0, description="honest accounts that buy at once, and stay")

    @property
    def lone(self) -> int:
        """Accounts that cheat, or look like it, outside of rings."""
        cheats = self.bots + self.skimmers + self.hijacked + self.quick_buyers
        return cheats + self.fans + self.sleepers + self.quick_stayers


class SyntheticSlots(Section):
    """Slots in which something is chosen and logged; none unless a month is given."""

    messages: Month | None = Field(None, description="from when a prompt opens free users' sessions")
    spotlight: Month | None = Field(None, description="from when an artist is shown as sessions open")
    explore: float = Field(0.5, gt=0, le=1, description="share of choices that are uniform")
    effect: float = Field(
        0.3, ge=0, le=2, description="sd of a prompt's effect on the log hazard, by arm and by arm and city"
    )
    novelty: float = Field(0.2, ge=0, le=2, description="what a prompt just shown loses of its log effect")
    half_life_days: float = Field(7.0, gt=0, description="in which half of that is back")


class Synthetic(Section):
    """The embedded Pozytywka."""

    section_decides = decides("world")

    users: int = Field(2000, ge=10)
    months: int = Field(14, ge=2)
    start: Month = date(2022, 1, 1)
    seed: int = Field(7, ge=0)
    tracks: int = Field(3000, ge=100)
    artists: int = Field(800, ge=50)
    played_tracks: int = Field(1000, ge=50, description="tracks that anyone ever plays")
    genres: int = Field(400, ge=50, le=4100, description="the first 50 can be someone's favourite")
    families: bool = Field(
        False,
        description="genres lie in families that artists mix within, and taste follows a favourite's family",
    )
    premium_share: float = Field(0.41925, gt=0, lt=0.95, description="share of users who buy before the end")
    truth_paths: int = Field(
        64, ge=0, description="simulated futures behind each true probability; 0 tells no probabilities"
    )
    dirt: Dirt = Dirt()
    drift: Drift = Drift()
    experiment: SyntheticExperiment = SyntheticExperiment()
    fraud: Fraud = Fraud()
    taste: Taste = Taste()
    slots: SyntheticSlots = SyntheticSlots()
    feedback: Texts = Texts()
    rhythm: Rhythm = Rhythm()
    outages: Outages = Field(
        (), description="days on which a share of the sessions doesn't happen, as 2022-05-03:all:0.6,…"
    )

    @model_validator(mode="after")
    def _starts_a_month(self) -> Synthetic:
        if self.start.day != 1:
            raise ValueError("synthetic.start must be the first of a month, such as 2022-01")
        if not self.played_tracks <= self.tracks or not self.artists <= self.tracks:
            raise ValueError("synthetic.played_tracks and synthetic.artists must be at most synthetic.tracks")
        if self.truth_paths == 1:
            raise ValueError("synthetic.truth_paths must be 0 or at least 2, for a standard error")
        if self.fraud.rings * self.fraud.accounts > self.users / 4:
            raise ValueError("synthetic.fraud: rings x accounts must be at most a quarter of synthetic.users")
        if self.fraud.rings * self.fraud.accounts + self.fraud.lone > self.users / 2:
            raise ValueError("synthetic.fraud: all its accounts must be at most half of synthetic.users")
        if (
            self.taste.on
            and self.taste.fresh * self.months * self.played_tracks > self.tracks - self.played_tracks
        ):
            raise ValueError(
                "synthetic.taste.fresh: releases of all months must be at most synthetic.tracks less "
                "synthetic.played_tracks"
            )
        if self.taste.cut_off is not None and self.taste.cut_off <= self.start:
            raise ValueError("synthetic.taste.cut_off must be after synthetic.start")
        if self.fraud.tracks > self.played_tracks:
            raise ValueError("synthetic.fraud.tracks must be at most synthetic.played_tracks")
        return self

"""What the rules that come with it find in a made world whose seed they were not written on."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.config import Synthetic, load_settings
from pozytywka_spark.fraud.declared.catalogue import SIGNALS
from pozytywka_spark.fraud.rules.read import read_rules
from pozytywka_spark.fraud.signals.account_rows import signal_rows
from pozytywka_spark.fraud.signals.day_rows import measure_days
from pozytywka_spark.names import ADVERTISEMENT, BUY_PREMIUM, EVENT_TYPES
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.events import events_of
from pozytywka_spark.synthetic.life import life_of, plan_of
from pozytywka_spark.synthetic.who import accounts_of
from tests.fraud.made import MEASURES

CHEATS = {"bots": 12, "skimmers": 12, "hijacked": 12, "quick_buyers": 12, "fans": 12, "sleepers": 6}


def world(seed: int) -> tuple[pl.DataFrame, pl.DataFrame, dict[int, str]]:
    """Events, artists of tracks, and the kind of each account that isn't a plain one."""
    made = {"users": 900, "months": 6, "seed": seed, "truth_paths": 0, "fraud": CHEATS}
    plan = plan_of(Synthetic.model_validate(made))
    tracks = catalogue_of(plan).tracks
    parts, kinds = [], {}
    for chunk in range(plan.chunks):
        life = life_of(plan, chunk)
        events = events_of(plan, life)
        parts.append(
            pl.DataFrame(
                {
                    "user_id": life.people.user_id[events.user].astype(np.int64),
                    "event_time": events.time_ms.astype(np.int64) * 1000,
                    "event_type": np.array(EVENT_TYPES)[events.kind],
                    "session_id": events.session_id.astype(np.int64),
                    "track_id": tracks["id"][events.track].astype(str),
                }
            )
        )
        kinds |= {account.user_id: account.kind for account in accounts_of(plan, chunk)}
    trackless = pl.col("event_type").is_in([ADVERTISEMENT, BUY_PREMIUM])
    rows = pl.concat(parts).with_columns(
        pl.col("event_time").cast(pl.Datetime("us", "UTC")),
        pl.when(~trackless).then("track_id").alias("track_id"),
    )
    artists = {"track_id": tracks["id"].astype(str), "artist_id": tracks["id_artist"].astype(str)}
    return rows, pl.DataFrame(artists), kinds


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [101])
def test_cheats_are_found_and_plain_days_are_left_alone(seed: int) -> None:
    events, artists, kinds = world(seed)
    days = signal_rows(measure_days(events, artists, MEASURES), None, SIGNALS, date(1970, 1, 1))
    flagged = pl.any_horizontal(rule.holds() for rule in read_rules(load_settings()))
    kind = pl.col("user_id").replace_strict(kinds, default="plain", return_dtype=pl.String)
    told = days.select("user_id", kind=kind, flagged=flagged)
    accounts = told.group_by("kind", "user_id").agg(pl.col("flagged").any())
    found = dict(accounts.group_by("kind").agg(pl.col("flagged").mean()).iter_rows())
    for cheat in ("bot", "skimmer", "hijacked", "quick_buyer"):
        assert found[cheat] >= 0.95, (cheat, found)
    plain = told.filter(pl.col("kind") == "plain").get_column("flagged")
    assert plain.mean() <= 0.003  # what is far or drawn comes on top: 0.2%

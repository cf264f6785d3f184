"""The checks of each silver table, in the order of the report."""

from __future__ import annotations

from functools import reduce
from operator import and_

import polars as pl

from pozytywka_spark import names
from pozytywka_spark.ingest.quality.checks import ERROR, INFO, OK, WARN, Check

# By which of its keys other rows are brought beside a row, so that a check can be answered
BY_USER, BY_TRACK, BY_ARTIST, BY_NAME = "by user", "by track", "by artist", "by name"


def user_checks() -> list[Check]:
    """Of users beside what they did: `events`, `bought` (purchases); null if events are not there."""
    flag, bought, entity = pl.col("premium_user"), pl.col("bought"), "users"
    return [
        Check(entity, "favourite genres null", WARN, "users of unknown taste",
              pl.col("favourite_genres").is_null()),
        Check(entity, "premium flag null", WARN, "users of whom it isn't known if they pay", flag.is_null()),
        Check(entity, "premium flag false", WARN, "a flag that is never false tells nothing", ~flag, 1e-9),
        Check(entity, "premium without purchase", WARN, "premium users with no BUY_PREMIUM event",
              flag & (bought == 0), brought=BY_USER),
        Check(entity, "purchase without premium", WARN, "buyers whose premium flag is not set",
              ~flag & (bought > 0), brought=BY_USER),
        Check(entity, "several purchases", WARN, "premium is bought once, for life", bought > 1,
              brought=BY_USER),
        Check(entity, "without events", INFO, "users who have done nothing yet", pl.col("events") == 0,
              brought=BY_USER),
        Check(entity, "other than 3 favourite genres", INFO, "genres per user: three as a rule",
              pl.col("favourite_genres").list.len() != 3),
        _class(entity, "class premium", "users with the premium flag", flag),
    ]  # fmt: skip


def artist_checks() -> list[Check]:
    """Of artists, with `namesakes` (artists of that name)."""
    entity = "artists"
    return [
        Check(entity, "genres null", WARN, "their plays count for no genre", pl.col("genres").is_null()),
        Check(
            entity,
            "name shared",
            INFO,
            "several artists of one name",
            pl.col("namesakes") > 1,
            brought=BY_NAME,
        ),
    ]


def track_checks() -> list[Check]:
    """Of tracks with `namesakes`, `plays`, `stored`, `artist_known` (null without the other table)."""
    precision, entity = pl.col("release_date_precision"), "tracks"
    silent = reduce(and_, (pl.col(name).is_null() for name in names.AUDIO_FEATURES))
    return [
        Check(entity, "artist null", WARN, "tracks without an artist have no genre",
              pl.col("id_artist").is_null()),
        Check(entity, "artist unknown", WARN, "orphans: no such artist", ~pl.col("artist_known"),
              brought=BY_ARTIST),
        Check(entity, "storage unknown", WARN, "no storage class or cost", ~pl.col("stored"),
              brought=BY_TRACK),
        Check(entity, "audio features unknown", WARN, "all of them delivered as zero, so null", silent),
        Check(entity, "tempo unknown", INFO, "delivered as 0, so null", pl.col("tempo").is_null()),
        Check(entity, "louder than 0 dB", INFO, "possible after mastering, but rare", pl.col("loudness") > 0),
        Check(entity, "instrumentalness zero", INFO, "a peak, not a mistake: sung throughout",
              pl.col("instrumentalness") == 0),
        Check(entity, "popularity zero", INFO, "a peak: nobody plays them now", pl.col("popularity") == 0),
        Check(entity, "release date to the year", INFO, "taken as 1 January", precision == "year"),
        Check(entity, "release date to the month", INFO, "taken as the first", precision == "month"),
        Check(entity, "release date null", WARN, "of unknown age", pl.col("release_date").is_null()),
        Check(entity, "longer than 2 hours", WARN, "hardly a track", pl.col("duration_ms") > 7_200_000),
        Check(entity, "never played", INFO, "most of a catalogue is", pl.col("plays") == 0,
              brought=BY_TRACK),
        Check(entity, "name shared", INFO, "several tracks of one name", pl.col("namesakes") > 1,
              brought=BY_NAME),
    ]  # fmt: skip


def storage_checks() -> list[Check]:
    """Of track storage with `track_known` (null if tracks are not there)."""
    stored, entity = pl.col("storage_class"), "track_storage"
    return [
        _class(entity, "class SLOW", "kept on slow disks", stored == "SLOW"),
        Check(entity, "class MEDIUM", INFO, "under 5%: rare", stored == "MEDIUM", 0.05),
        Check(entity, "class FAST", WARN, "under 1%: too rare to learn from", stored == "FAST", 0.01),
        Check(
            entity, "track unknown", WARN, "orphans: no such track", ~pl.col("track_known"), brought=BY_TRACK
        ),
    ]


def orphan_checks() -> dict[str, Check]:
    """By table: events whose key it lacks; each key stands for its events.

    Of keys with `events`, and `own`: whether the table has the key.
    """
    own, events = pl.col("own"), pl.col("events")
    return {
        "users": Check("events", "user unknown", ERROR, "orphans: no such user; examples: users", ~own,
                         weight=events, brought=BY_USER),
        "tracks": Check("events", "track unknown", ERROR, "orphans: no such track; examples: tracks", ~own,
                          weight=events, brought=BY_TRACK),
    }  # fmt: skip


def event_checks() -> list[Check]:
    """Of what was counted of events: what each row is, the total says."""
    has_found = pl.col("found")
    return [
        Check("events", "like repeated", WARN, "a like is once and for life; total: users × liked tracks",
              has_found, brought=BY_USER),
        Check("events", "advert after the purchase", WARN,
              "adverts stop once premium is bought; total: adverts", has_found, brought=BY_USER),
    ]  # fmt: skip


def _class(entity: str, name: str, meaning: str, found: pl.Expr) -> Check:
    """How common a class is; none is too rare."""
    return Check(entity, name, OK, meaning, found, 0.0)

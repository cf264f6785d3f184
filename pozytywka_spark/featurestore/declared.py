"""The views and services there are, each declared once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.declared.catalogue import catalogue_hash, catalogue_of, feature_order
from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.lake_catalogue import LakeCatalogue, built_catalogue
from pozytywka_spark.featurestore.views import Column, Declared, Part, Service, View, check_declared
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.names import AUDIO_FEATURES

PREMIUM = "premium"  # the service of the champion
USER_MONTH = "user_month"
USER_SCORE = "user_score"
TRACK_POPULARITY = "track_popularity"
TTL_DAYS = 62  # two months: a month's rows serve until those of the next are there, and a late month more
FRESH_DAYS = 35  # a month, and four days for its delivery and the work on it

_SCORE = View(
    name=USER_SCORE,
    meaning="what the champion says of a user: will they buy premium; of months that it was trained on, "
    "it has seen the answer",
    entity="user",
    key="user_id",
    table="predictions",
    columns=(
        Column("probability", "calibrated probability of the label", "0 to 1"),
        Column("probability_raw", "what the trees say, before calibration", "0 to 1"),
        Column("margin", "the trees' sum, before the sigmoid", "log odds"),
        Column("rank", "place among the month's users, the most probable first", "from 1"),
        Column("decile", "tenth of the month's users, the most probable first", "1 to 10"),
        Column("selected", "whether the policy would make an offer", "0 or 1"),
        Column("model_version", "version of the model that said it", "number"),
    ),
    ttl_days=TTL_DAYS,
    kind="event",
    owner="premium",
    champion=True,
    fresh_days=FRESH_DAYS,
)

_POPULARITY = View(
    name=TRACK_POPULARITY,
    meaning="plays of a track by anyone before the cut-off; a row for each month with plays in its 12 months",
    entity="track",
    key="track_id",
    table="track_plays",
    columns=(
        Column("plays_1_month", "plays in the month before the cut-off", "plays"),
        Column("plays_3_months", "plays in the three months before the cut-off", "plays"),
        Column("plays_12_months", "plays in the twelve months before the cut-off", "plays"),
    ),
    ttl_days=TTL_DAYS,
    kind="event",
    owner="recommendation",
    made="trailing plays",
    fresh_days=FRESH_DAYS,
)

_TRACK = View(
    name="track_profile",
    meaning="a track as it was last delivered",
    entity="track",
    key="id",
    table="tracks",
    columns=(
        Column("popularity", "popularity as delivered", "0 to 100"),
        Column("duration_ms", "length", "milliseconds"),
        Column("explicit", "whether its words are", "0 or 1"),
        Column("release_day", "day of release", "days since 1970", source="release_date"),
        Column("musical_key", "pitch class, 0 is C; -1 unknown", "-1 to 11", source="key"),
        *(Column(name, f"{name} as delivered", _unit) for name, _unit in (
            (each, {"loudness": "dB", "tempo": "beats a minute"}.get(each, "0 to 1"))
            for each in AUDIO_FEATURES
        )),
    ),
    ttl_days=None,
    kind="snapshot",
    owner="recommendation",
    known="always",
)  # fmt: skip

_ARTIST = View(
    name="artist_profile",
    meaning="an artist by their tracks as last delivered; none without tracks",
    entity="artist",
    key="id_artist",
    table="tracks",
    columns=(
        Column("tracks", "how many there are", "tracks"),
        Column("average_popularity", "mean of the tracks' popularity", "0 to 100", source="popularity"),
        Column("highest_popularity", "of the best known track", "0 to 100", source="popularity"),
        Column("average_duration_ms", "mean length", "milliseconds", source="duration_ms"),
        Column("explicit_share", "share of tracks whose words are", "0 to 1", source="explicit"),
        Column("first_release_day", "earliest day of release", "days since 1970", source="release_date"),
        Column("last_release_day", "latest day of release", "days since 1970", source="release_date"),
    ),
    ttl_days=None,
    kind="snapshot",
    owner="recommendation",
    known="always",
    made="artist",
)

_FEED = Service(
    "feed",
    "how a track does, for ranking",
    "recommendation",
    (
        Part(TRACK_POPULARITY, ("plays_1_month", "plays_3_months", "plays_12_months")),
        Part("track_profile", ("popularity", "duration_ms", "explicit", "release_day")),
    ),
)
_PROMPT = Service(
    "prompt",
    "whether to speak of premium now, and how: few columns, for a page that waits",
    "premium",
    (
        Part(USER_SCORE, ("probability", "decile", "selected")),
        Part(USER_MONTH, ("number_of_advertisements", "number_of_tracks", "number_of_skips")),
    ),
)


def declared_of(settings: Settings, lake: Lake | None = None) -> Declared:
    """All views and services, with the settings' own features and float32 where they say so.

    With the features that the lake's table has; without a lake those that every one has. Raises `UsageError`
    for one that isn't in order, or for a name in `featurestore.float32` that is no view.
    """
    catalogue = built_catalogue(settings, lake) if lake else _everywhere(settings)
    views = {
        each.name: each
        for each in (
            replace(_user_month(catalogue.entries), catalogue_hash=catalogue.hash),
            replace(_SCORE, catalogue_hash=catalogue.hash),
            _POPULARITY,
            _TRACK,
            _ARTIST,
        )
    }
    for name in settings.featurestore.float32:
        if name not in views:
            raise UsageError(f"featurestore.float32: no view {name}: there are {', '.join(views)}")
        views[name] = replace(views[name], dtype="float32")
    premium = Service(
        PREMIUM,
        "what the champion reads of a user, in its order",
        "premium",
        (Part(USER_MONTH, catalogue.order),),
        catalogue.hash,
    )
    services = {each.name: each for each in (premium, _PROMPT, _FEED)}
    declared = Declared(views, services)
    check_declared(declared)
    return declared


def _everywhere(settings: Settings) -> LakeCatalogue:
    """The catalogue of a lake without any table that entries need."""
    return LakeCatalogue(catalogue_of(settings), feature_order(settings), catalogue_hash(settings))


def _user_month(features: Iterable[Feature]) -> View:
    """All features of the catalogue."""
    return View(
        name=USER_MONTH,
        meaning="all features of a user who has not bought premium, by the month that ends at the cut-off",
        entity="user",
        key="user_id",
        table="features",
        columns=tuple(Column(each.name, each.meaning, each.unit) for each in features),
        ttl_days=TTL_DAYS,
        kind="event",
        owner="premium",
        fresh_days=FRESH_DAYS,
    )

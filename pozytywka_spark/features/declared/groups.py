"""Groups of genres and languages of what is played; only in lakes where `topics` has found them."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.arithmetic import total
from pozytywka_spark.features.declared.declaration import NEVER, Feature
from pozytywka_spark.features.declared.levels import NEEDS
from pozytywka_spark.features.declared.values import Formula, Measure
from pozytywka_spark.features.declared.variety import entropy_of, times_log
from pozytywka_spark.names import TOP_GROUP

group_plays = Measure(
    name="group_plays",
    aggregate=lambda: total(pl.col("plays")),
    level="group",
    arithmetic="count of PLAY whose artist has a group",
)
groups = Measure(
    name="groups",
    aggregate=lambda: pl.len(),
    level="group",
    arithmetic="count of different groups of artists of PLAY",
)
group_logs = Measure(
    name="group_play_logs",
    aggregate=lambda: total(times_log(pl.col("plays"))),
    level="group",
    arithmetic="sum over groups of artists of n * ln n, n its PLAY, ln n in 10^-11",
)
top_group_plays = Measure(
    name="top_group_plays",
    aggregate=lambda: pl.col("plays").max(),
    level="group",
    arithmetic="largest count of PLAY of one group of artists",
)
new_groups = Measure(
    name="new_groups",
    aggregate=lambda: total(pl.col("new")),
    level="group",
    arithmetic="count of groups of artists of PLAY that the user played in no earlier month",
)
top_group = Measure(
    name=TOP_GROUP,
    aggregate=lambda: pl.col("code").get(pl.col("plays").arg_max()),
    level="group",
    arithmetic="code of the group of artists with most PLAY, of several the first by id; 0 for none",
)
favourite_group_plays = Measure(
    name="favourite_group_plays",
    aggregate=lambda: total(pl.col("plays") * pl.col("favourite")),
    level="group",
    arithmetic="count of PLAY whose artist's group has a favourite genre of the user",
)
language_plays = Measure(
    name="language_plays",
    aggregate=lambda: total(pl.col("plays")),
    level="language",
    arithmetic="count of PLAY of a track of known language",
)
languages = Measure(
    name="languages",
    aggregate=lambda: pl.len(),
    level="language",
    arithmetic="count of different languages of PLAY",
)
top_language_plays = Measure(
    name="top_language_plays",
    aggregate=lambda: pl.col("plays").max(),
    level="language",
    arithmetic="largest count of PLAY of one language",
)
polish_plays = Measure(
    name="polish_plays",
    aggregate=lambda: total(pl.col("plays") * pl.col("polish")),
    level="language",
    arithmetic="count of PLAY of a track in Polish",
)


def _code() -> pl.Expr:
    return pl.when(top_group.column() > 0).then(top_group.column())


_NO_GROUP = "null: no play of an artist with a group"
_NO_LANGUAGE = "null: no play of a track of known language"

_GROUPS: tuple[Feature, ...] = (
    Feature(
        name="favourite_group_share",
        meaning="share of plays, of artists with a group, in the groups of the user's favourite genres",
        unit="0..1",
        kind="share",
        null=_NO_GROUP,
        value=favourite_group_plays / group_plays,
        source="events, artist_groups, genre_groups",
        snapshot=True,
        needs=NEEDS["group"],
    ),
    Feature(
        name="favourite_group_share_last_3_months",
        meaning="the same over the last 3 months, this one included",
        unit="0..1",
        kind="share",
        null=_NO_GROUP,
        value=favourite_group_plays.over(3) / group_plays.over(3),
        source="events, artist_groups, genre_groups",
        snapshot=True,
        needs=NEEDS["group"],
    ),
    Feature(
        name="groups_listened",
        meaning="groups of genres played at least once",
        unit="groups",
        kind="count",
        null=NEVER,
        value=groups,
        source="events, artist_groups",
        snapshot=True,
        needs=NEEDS["group"],
        by_default=False,
    ),
    Feature(
        name="group_entropy",
        meaning="entropy of plays over groups of genres",
        unit="nats",
        kind="average",
        null=_NO_GROUP,
        value=entropy_of(group_plays, group_logs),
        source="events, artist_groups",
        snapshot=True,
        needs=NEEDS["group"],
        by_default=False,
    ),
    Feature(
        name="top_group_share",
        meaning="share of plays, of artists with a group, in the group that the user plays most",
        unit="0..1",
        kind="share",
        null=_NO_GROUP,
        value=top_group_plays / group_plays,
        source="events, artist_groups",
        snapshot=True,
        needs=NEEDS["group"],
        by_default=False,
    ),
    Feature(
        name="new_groups",
        meaning="groups of genres played that the user had played in no earlier month",
        unit="groups",
        kind="count",
        null=NEVER,
        value=new_groups,
        source="events, artist_groups",
        snapshot=True,
        needs=NEEDS["group"],
        by_default=False,
    ),
    Feature(
        name=TOP_GROUP,
        meaning="code of the group of genres that the user plays most, for words and segments",
        unit="code",
        kind="code",
        null=_NO_GROUP,
        value=Formula(arithmetic="top_group, null if 0", measures=(top_group,), expression=_code),
        source="events, artist_groups",
        snapshot=True,
        needs=NEEDS["group"],
        by_default=False,
    ),
)
_LANGUAGES: tuple[Feature, ...] = (
    Feature(
        name="polish_share",
        meaning="share of plays, of tracks of known language, in Polish",
        unit="0..1",
        kind="share",
        null=_NO_LANGUAGE,
        value=polish_plays / language_plays,
        source="events, artist_groups, track_languages",
        snapshot=True,
        needs=NEEDS["language"],
        by_default=False,
    ),
    Feature(
        name="main_language_share",
        meaning="share of plays, of tracks of known language, in the one that the user plays most",
        unit="0..1",
        kind="share",
        null=_NO_LANGUAGE,
        value=top_language_plays / language_plays,
        source="events, artist_groups, track_languages",
        snapshot=True,
        needs=NEEDS["language"],
        by_default=False,
    ),
    Feature(
        name="languages_listened",
        meaning="languages played at least once",
        unit="languages",
        kind="count",
        null=NEVER,
        value=languages,
        source="events, artist_groups, track_languages",
        snapshot=True,
        needs=NEEDS["language"],
        by_default=False,
    ),
)
FEATURES: tuple[Feature, ...] = (*_GROUPS, *_LANGUAGES)

"""Where candidates come from: a function a source, all of users at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.feed.about import About
from pozytywka_spark.feed.inventory.listed import (
    NOTHING,
    Listed,
    best_columns,
    by_weight,
    expanded,
    place_within,
)
from pozytywka_spark.feed.latest_likes import stirred as stirs
from pozytywka_spark.feed.listening import DAY_US
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.tastes import FLOOR
from pozytywka_spark.feed.track_side import Tracks

TOP_ARTISTS, TOP_GENRES = 40, 8  # of a user, that candidates are taken from
NEW_DAYS = 28


@dataclass(frozen=True)
class Shown:
    """What feeds of the last 14 days showed a batch's users: row of the user, track, when, and if seen."""

    user: Array
    track: Array
    feed_us: Array
    seen: Array


@dataclass(frozen=True)
class Lists:
    """Lists that all users share, made once: tracks by artist and by genre, best first, and the most played.

    `artist_track` lies by artist: those of artist i are `artist_start[i]:artist_start[i + 1]`; genres alike.
    """

    popular: Array
    city: Array  # cities × places, -1 where there are fewer
    artist_track: Array
    artist_start: Array
    genre_track: Array
    genre_start: Array
    new: Array
    alive: Array  # played in 90 days, or new; sorted


def lists_of(tracks: Tracks, most: int) -> Lists:
    """Of what is out before the cut-off; popular by plays of 28 days, then of 90."""
    side = tracks.side
    out = np.flatnonzero(tracks.released)
    order = out[np.lexsort((out, -tracks.plays_90[out], -side.plays[out]))]
    played = order[(side.plays[order] > 0) | (tracks.plays_90[order] > 0)]
    new = order[tracks.age_days[order] <= NEW_DAYS]
    lively = order[np.isin(order, new) | np.isin(order, played)]
    artist_track, artist_start = _grouped(lively, side.artist[lively], len(side.artist_id), 50)
    row, column = np.nonzero(side.genres[played] >= 0)
    genre_track, genre_start = _grouped(
        played[row], side.genres[played[row], column], len(tracks.genre), most
    )
    city = np.full((len(tracks.city), most), -1, dtype=np.int64)
    for place, plays in enumerate(tracks.city):
        top = np.flatnonzero((plays > 0) & tracks.released)
        top = top[np.lexsort((top, -plays[top]))][:most]
        city[place, : len(top)] = top
    return Lists(
        played[:most], city, artist_track, artist_start, genre_track, genre_start, new, np.sort(lively)
    )


def own(about: About, most: int) -> Listed:
    """What they play and like."""
    past = about.tracks
    return by_weight(past.user, past.thing, past.long + 0.5 * past.likes, most)


def by_artist(about: About, lists: Lists, most: int) -> Listed:
    """Tracks of the artists they play most."""
    past = about.artists
    some = by_weight(past.user, past.thing, past.long + 0.5 * past.likes, TOP_ARTISTS)
    return _from_groups(some, lists.artist_track, lists.artist_start, most)


def by_genre(about: About, lists: Lists, most: int) -> Listed:
    """What is played of their favourite genres, and of those that they play most."""
    genres = about.genres[:, :-1].copy()
    user, column = np.nonzero(about.listeners.favourites >= 0)
    genres[user, about.listeners.favourites[user, column]] += 0.5
    some = best_columns(genres, np.arange(genres.shape[1]), TOP_GENRES)
    return _from_groups(some, lists.genre_track, lists.genre_start, most)


def neighbours(about: About, tracks: Tracks, most: int) -> Listed:
    """What the item model puts first, for all that they played and for what they played lately."""
    long, short, _ = about.scores
    return best_columns(long + short, tracks.model.track, most)


def by_taste(about: About, tracks: Tracks, lists: Lists, most: int) -> Listed:
    """What they would pick next by their taste in artists; of what is played or new."""
    alive = lists.alive
    if not len(alive) or not most or not len(tracks.tastes.artist):
        return NOTHING
    model = tracks.tastes.artist
    place = np.full(len(tracks.side.artist_id), len(model))
    place[model] = np.arange(len(model))
    chances = np.pad(about.tastes, ((0, 0), (0, 1)), constant_values=FLOOR)
    score = np.exp(chances[:, place[tracks.side.artist[alive]]] + tracks.track_share[alive])
    return best_columns(score, alive, most)


def popular(users: int, top: Array, most: int) -> Listed:
    """The same tracks for everybody."""
    count = min(most, len(top))
    return Listed(
        np.repeat(np.arange(users), count), np.tile(top[:count], users), np.tile(np.arange(count), users)
    )


def by_city(about: About, lists: Lists, most: int) -> Listed:
    """What is played in their city."""
    city = about.listeners.city
    top = lists.city[:, :most]
    user, place = (
        np.nonzero((city[:, None] >= 0) & (top[np.maximum(city, 0)] >= 0))
        if len(top)
        else (
            NOTHING.user,
            NOTHING.user,
        )
    )
    return Listed(user, top[city[user], place], place) if len(user) else NOTHING


def new_releases(about: About, tracks: Tracks, lists: Lists, most: int) -> Listed:
    """What came out in the last 28 days: of their artists, of their genres, then whatever is played."""
    new, side = lists.new, tracks.side
    if not len(new):
        return NOTHING
    artists = np.zeros((len(about), len(side.artist_id)), dtype=np.float32)
    artists[about.artists.user, about.artists.thing] = about.artists.long
    score = np.log1p(artists[:, side.artist[new]])
    for column in side.genres[new].T:
        score += about.genres[:, column]
    score += 0.01 / (1 + np.arange(len(new), dtype=np.float32))
    return best_columns(score, new, most)


def at_random(user_id: Array, tracks: Tracks, most: int) -> Listed:
    """Tracks drawn by a stated hash of user, cut-off and place (splitmix64), repeats dropped."""
    out = np.flatnonzero(tracks.released)
    if not len(out) or not most:
        return NOTHING
    day = tracks.cut_off_us // DAY_US
    with np.errstate(over="ignore"):
        seed = _mixed(user_id.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(day))
        drawn = _mixed(seed[:, None] + np.arange(1, most + 1, dtype=np.uint64))
    track = np.sort(out[(drawn % np.uint64(len(out))).astype(np.int64)], axis=1)
    fresh = np.ones(track.shape, dtype=bool)
    fresh[:, 1:] = track[:, 1:] != track[:, :-1]
    user, column = np.nonzero(fresh)
    return Listed(user, track[user, column], place_within(user))


def unread(about: About, shown: Shown, cut_off_us: int, most: int) -> Listed:
    """Shown in the last 14 days, neither seen nor played since; the latest first."""
    recent = (shown.feed_us >= cut_off_us - 14 * DAY_US) & (shown.feed_us < cut_off_us)
    size = int(max(shown.track.max(initial=0), about.tracks.thing.max(initial=0))) + 1
    key = shown.user[recent].astype(np.int64) * size + shown.track[recent]
    keys, at = np.unique(key, return_inverse=True)
    latest, seen = np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys), dtype=bool)
    first = np.full(len(keys), np.iinfo(np.int64).max)
    np.maximum.at(latest, at, shown.feed_us[recent])
    np.minimum.at(first, at, shown.feed_us[recent])
    np.logical_or.at(seen, at, shown.seen[recent])
    played = about.listeners.listening
    heard = np.full(len(keys), np.iinfo(np.int64).min)
    play_key = played.play_user.astype(np.int64) * size + played.play_track
    place = np.minimum(np.searchsorted(keys, play_key), max(len(keys) - 1, 0))
    inside = keys[place] == play_key if len(keys) else np.zeros(len(play_key), dtype=bool)
    np.maximum.at(heard, place[inside], played.play_us[inside])
    good = ~seen & (heard < first)
    return by_weight(keys[good] // size, keys[good] % size, latest[good], most)


def stirred(about: About, tracks: Tracks, most: int) -> Listed:
    """Heard before, and since then liked by others of a favourite genre in common; see `latest_likes`."""
    past = about.tracks
    heard = past.plays > 0
    user, track, days = past.user[heard], past.thing[heard], past.days[heard].astype(np.float64)
    last = _last_play(about, user, track, len(tracks.side))
    good = stirs(tracks.likes, user, track, last, about.listeners.user_id, about.listeners.favourites)
    return by_weight(user[good], track[good], -days[good], most)


def _last_play(about: About, user: Array, track: Array, size: int) -> Array:
    """Of pairs that were played, sorted, the time of the last play: to the microsecond."""
    played = about.listeners.listening
    at = np.searchsorted(
        user.astype(np.int64) * size + track, played.play_user.astype(np.int64) * size + played.play_track
    )
    last = np.full(len(user), np.iinfo(np.int64).min)
    np.maximum.at(last, at, played.play_us)
    return last


def _from_groups(groups: Listed, member: Array, start: Array, most: int) -> Listed:
    """Members of each user's groups, the better placed of the better groups first."""
    count = np.minimum(start[groups.track + 1] - start[groups.track], most)
    user, at, place, within = expanded(groups.user, start[groups.track], count, groups.place)
    track = member[at]
    order = np.lexsort((-(1.0 / ((place + 2.0) * (within + 2.0))), track, user))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (track[order][1:] != track[order][:-1]) | (user[order][1:] != user[order][:-1])
    once = order[first]
    return by_weight(user[once], track[once], 1.0 / ((place[once] + 2.0) * (within[once] + 2.0)), most)


def _grouped(member: Array, group: Array, groups: int, most: int) -> tuple[Array, Array]:
    """Members by group, in their order, `most` of each."""
    order = np.argsort(group, kind="stable")
    some = order[place_within(group[order]) < most]
    start = np.searchsorted(group[some], np.arange(groups + 1))
    return member[some], start


def _mixed(value: Array) -> Array:
    """Splitmix64's finaliser."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Array = value ^ (value >> np.uint64(31))
    return found

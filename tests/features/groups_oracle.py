"""Features of groups and languages again, a user's month at a time in plain Python, sharing no code."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Made = dict[tuple[int, date], dict[str, float | None]]


def group_features(tables: Mapping[str, Rows], events: Rows) -> Made:
    """By user and month, of every month with an event. `tables`: rows of users, tracks, groups."""
    group_of_artist = {row["id"]: _real(row["group_id"]) for row in tables["artist_groups"]}
    group_of_genre = {row["genre"]: _real(row["group_id"]) for row in tables["genre_groups"]}
    language_of_artist = {row["id"]: row["language"] for row in tables["artist_groups"]}
    own_language = {row["id"]: row["language"] for row in tables["track_languages"]}
    artist_of = {row["id"]: row["id_artist"] for row in tables["tracks"]}
    favourites = {
        row["user_id"]: {group_of_genre.get(genre) for genre in row["favourite_genres"] or ()} - {None}
        for row in tables["users"]
    }
    played: dict[tuple[int, date], list[str | None]] = defaultdict(list)
    for event in events:
        key = event["user_id"], event["event_time"].date().replace(day=1)
        played[key] += [event["track_id"]] if event["event_type"] == "PLAY" else []
    made: Made = {}
    met: dict[int, set[str]] = defaultdict(set)
    shares: dict[int, dict[date, tuple[int, int]]] = defaultdict(dict)
    for (user, month), tracks in sorted(played.items(), key=lambda item: item[0][1]):
        groups = _counted(group_of_artist.get(artist_of.get(track)) for track in tracks)
        languages = _counted(
            own_language.get(track) or language_of_artist.get(artist_of.get(track))
            for track in tracks
            if track in artist_of
        )
        fond = sum(plays for group, plays in groups.items() if group in favourites.get(user, ()))
        shares[user][month] = (fond, groups.total())
        recent = [pair for each, pair in shares[user].items() if 0 <= _months(each, month) < 3]
        made[user, month] = {
            "favourite_group_share": _ratio(fond, groups.total()),
            "favourite_group_share_last_3_months": _ratio(
                sum(first for first, _ in recent), sum(second for _, second in recent)
            ),
            "groups_listened": len(groups),
            "group_entropy": _entropy(groups),
            "top_group_share": _ratio(max(groups.values(), default=0), groups.total()),
            "top_group": _code(groups),
            "new_groups": len(set(groups) - met[user]),
            "polish_share": _ratio(languages["pl"], languages.total()),
            "main_language_share": _ratio(max(languages.values(), default=0), languages.total()),
            "languages_listened": len([each for each in languages.values() if each]),
        }
        met[user] |= set(groups)
    return made


def _real(group: str | None) -> str | None:
    return None if group == "other" else group


def _counted(values: Any) -> Counter[str]:
    return Counter(value for value in values if value is not None)


def _code(counted: Counter[str]) -> float | None:
    most = sorted(name for name, plays in counted.items() if plays == max(counted.values()))
    return int(sha256(most[0].encode()).hexdigest()[:12], 16) if most else None


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _entropy(counted: Counter[str]) -> float | None:
    shares = [plays / counted.total() for plays in counted.values()]
    return -sum(share * math.log(share) for share in shares) if shares else None


def _months(earlier: date, later: date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month

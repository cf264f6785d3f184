"""What each entity of a delivery is and each of its fields means, with a sound row: words of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pozytywka_spark.names import AUDIO_FEATURES


@dataclass(frozen=True)
class Words:
    """Of an entity: what it is, the grain of its rows, each field's meaning, and a row that keeps all rules.

    `refers_to`: for a field the `entity.field` that its values should be found in.
    """

    meaning: str
    grain: str
    fields: Mapping[str, str]
    sample: Mapping[str, object]
    refers_to: Mapping[str, str]


_SHARE = "from 0 to 1"
_AUDIO = {
    "danceability": f"how well it can be danced to, {_SHARE}",
    "energy": f"how intense and active it is, {_SHARE}",
    "loudness": "overall loudness, dB",
    "speechiness": f"how much of it is spoken, {_SHARE}",
    "acousticness": f"how surely it is acoustic, {_SHARE}",
    "instrumentalness": f"how surely nobody sings, {_SHARE}",
    "liveness": f"how surely an audience is there, {_SHARE}",
    "valence": f"how cheerful it sounds, {_SHARE}",
    "tempo": "beats a minute; 0: unknown",
}
_SAMPLE_AUDIO = dict(zip(AUDIO_FEATURES, (0.7, 0.6, -7.5, 0.04, 0.2, 0.0, 0.1, 0.5, 118.2), strict=True))

WORDS = {
    "users": Words(
        "Everybody who has an account.",
        "user",
        {
            "user_id": "the user's number",
            "name": "the user's name",
            "city": "where they live",
            "street": "their street",
            "favourite_genres": "genres they named, three as a rule; null: unknown",
            "premium_user": "whether they pay now; null: unknown",
        },
        {
            "user_id": 101,
            "city": "Radom",
            "favourite_genres": ["folk", "rock", "jazz"],
            "premium_user": False,
        },
        {},
    ),
    "artists": Words(
        "Everybody whose tracks are in the catalogue.",
        "artist",
        {
            "id": "the artist's identifier",
            "name": "their name; several may share one",
            "genres": "their genres, which are those of their tracks; null: unknown",
        },
        {"id": "72578usTM6Cj5qWsi471Nc", "name": "Budka Suflera", "genres": ["polish rock"]},
        {},
    ),
    "tracks": Words(
        "The catalogue of tracks.",
        "track",
        {
            "id": "the track's identifier",
            "name": "its title",
            "popularity": "how popular it is at delivery, from 0 to 100",
            "duration_ms": "its length, milliseconds",
            "explicit": "1 if its words are explicit, else 0",
            "id_artist": "its artist; null: unknown",
            "release_date": "when it came out: a year, a month or a day",
            "key": "its key as a pitch class, 0 is C; -1: none found",
            **_AUDIO,
        },
        {
            "id": "35iwgR4jXetI318WEWsa1Q",
            "name": "Jolka, Jolka pamiętasz",
            "popularity": 48,
            "duration_ms": 384_000,
            "explicit": 0,
            "id_artist": "72578usTM6Cj5qWsi471Nc",
            "release_date": "1982-05",
            "key": 9,
            **_SAMPLE_AUDIO,
        },
        {"id_artist": "artists.id"},
    ),
    "track_storage": Words(
        "Where a track's sound is stored and what that costs.",
        "track",
        {
            "track_id": "the track",
            "storage_class": "how fast the storage is",
            "daily_cost": "what storing it costs a day",
        },
        {"track_id": "35iwgR4jXetI318WEWsa1Q", "storage_class": "SLOW", "daily_cost": 0.0012},
        {"track_id": "tracks.id"},
    ),
    "sessions": Words(
        "What users do, event by event.",
        "event",
        {
            "timestamp": "when it happened; UTC unless it names a zone",
            "user_id": "who did it; a session has one user",
            "track_id": "the track that was played, skipped or liked; none on adverts and purchases",
            "event_type": "what happened, in any case",
            "session_id": "the sitting that it is part of",
        },
        {
            "timestamp": "2023-01-03T05:14:02.707000",
            "user_id": 101,
            "track_id": "35iwgR4jXetI318WEWsa1Q",
            "event_type": "PLAY",
            "session_id": 124,
        },
        {"user_id": "users.user_id", "track_id": "tracks.id"},
    ),
    "feedback": Words(
        "What people write to us, and scores that they give; a service may have nothing of the kind.",
        "text",
        {
            "feedback_id": "the text's identifier",
            "timestamp": "when it was written; UTC unless it names a zone",
            "user_id": "who wrote it",
            "channel": "where they wrote it, in any case",
            "text": "what they wrote, in any language; addresses, numbers, links, their own name and street "
            "are masked before it is stored; null: a score without words",
            "score": "how likely they are to recommend the service, from 0 to 10; null: not asked",
            "queue": "the queue that a person put it into; null: none did",
            "spam": "whether a person called it spam; null: none did",
        },
        {
            "feedback_id": "f-101-7",
            "timestamp": "2023-01-03T05:14:02",
            "user_id": 101,
            "channel": "nps",
            "text": "Za dużo reklam, ale muzyka świetna",
            "score": 7,
            "queue": "adverts",
            "spam": False,
        },
        {"user_id": "users.user_id"},
    ),
}

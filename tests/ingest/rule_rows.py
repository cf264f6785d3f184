"""Rows of raw files, and what the rules say of them, by the names of silver columns."""

import json
from datetime import datetime

from pozytywka_spark.ingest.validate.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.validate.rules.verdict import Judging

EPOCH = datetime(1970, 1, 1)
ANY_TIME = Judging(2**20)
EVENT = {"timestamp": "2023-01-03T05:09:55", "user_id": 1, "track_id": "t1", "event_type": "PLAY",
         "session_id": 3}  # fmt: skip


def judged(entity, row, judging=ANY_TIME, **options):
    line = row if isinstance(row, str) else json.dumps(row)
    return judge_line(line.encode(), ENTITIES[entity], judging, **options)


def silver(entity, row, **options):
    """Silver columns by name, and the verdict."""
    found = judged(entity, row, **options)
    return dict(zip(ENTITIES[entity].columns, found.columns, strict=True)), found


def track(**changes):
    audio = dict.fromkeys(("danceability", "energy", "speechiness", "acousticness", "instrumentalness",
                           "liveness", "valence"), 0.5) | {"loudness": -7.0, "tempo": 120.0}  # fmt: skip
    return {"id": "t", "name": "n", "popularity": 1, "duration_ms": 1000, "explicit": 1, "id_artist": "a",
            "release_date": "2011-01", "key": 3, **audio, **changes}  # fmt: skip

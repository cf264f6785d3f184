"""Tables of the feed: each user's page of a date, what they saw of it, what they said, how good it was."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

# grain: user, date and place on the page, from 1. `chances` by head; `sources` and `marks` in words;
# `stream`: policy, or explore with the probability it was drawn with
FEED = table(
    "feed",
    "user_id bigint, feed_date date, position int, track_id string, artist_id string, value double, "
    "chances map<string,double>, light_score double, sources array<string>, marks array<string>, "
    "stream string, probability double, model_version string, feed_id string, user_bucket int",
    keys=["user_id", "feed_date", "position"],
    partition_by=["feed_date", "user_bucket"],
    sorted_by=["user_id", "position"],
)

# grain: track that a user was shown, as somebody delivers it
FEED_SEEN = table(
    "feed_seen",
    "user_id bigint, track_id string, seen_at timestamp, position int, day date, user_bucket int",
    keys=["user_id", "track_id", "seen_at"],
    partition_by=["day", "user_bucket"],
)

# grain: answer (1 to 5) of a user who was asked whether a track was worth their time
FEED_SURVEYS = table(
    "feed_surveys",
    "user_id bigint, track_id string, asked_at timestamp, answer int, user_bucket int",
    keys=["user_id", "track_id", "asked_at"],
    partition_by=["user_bucket"],
)

# grain: line of what was shown or said that couldn't be taken, and why
FEED_ASIDE = table(
    "feed_aside",
    "kind string, content string, reason string, text string, source string",
    keys=["kind", "content", "reason"],
)

# grain: head of a trained model and its weight in the value; `source`: surveys or settings
FEED_WEIGHTS = table(
    "feed_weights",
    "head string, weight double, low double, high double, source string, model_version string",
    keys=["model_version", "head"],
)

# grain: date, stage and rule within it: how many tracks (of how many users) went in and came out
FEED_STAGES = table(
    "feed_stages",
    "feed_date date, stage string, rule string, users bigint, tracks_in bigint, tracks_out bigint, "
    "seconds double, feed_id string, model_version string",
    keys=["feed_date", "stage", "rule"],
    partition_by=["feed_date"],
)

# grain: date, ranking (the feed or one of its baselines), metric and slice, with a 95% interval over users
FEED_EVALUATIONS = table(
    "feed_evaluations",
    "feed_date date, ranking string, metric string, slice string, value double, low double, high double, "
    "users bigint, inputs string",
    keys=["feed_date", "ranking", "metric", "slice"],
    partition_by=["feed_date"],
)

"""Tables of what people write to us; texts are masked, and deleted after their retention."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

# grain: text, or score without one. `text` is masked, null of a score without words and once its retention
# is over; `masked`: how many things were masked in it; `score`, `queue`, `spam` null where unknown
FEEDBACK = table(
    "feedback",
    "feedback_id string, feedback_time timestamp, user_id bigint, channel string, text string, score int, "
    "queue string, spam boolean, masked int, feedback_month date, user_bucket int",
    keys=["feedback_id"],
    partition_by=["feedback_month", "user_bucket"],
    sorted_by=["user_id", "feedback_time"],
    personal=["text"],
)

# grain: text and model, none of a score without words; `queue` null below the confidence at which validation
# was right
FEEDBACK_SIGNALS = table(
    "feedback_signals",
    "feedback_id string, feedback_time timestamp, user_id bigint, channel string, language string, "
    "sentiment double, queue_best string, queue string, queue_confidence double, topic string, spam boolean, "
    "spam_probability double, model_id string, feedback_month date, user_bucket int",
    keys=["feedback_id"],
    partition_by=["feedback_month", "user_bucket"],
    sorted_by=["user_id", "feedback_time"],
)

# grain: user and stem of a word of their name or street; `word` a salted hash, to find the word in texts by
NAME_WORDS = table(
    "name_words", "user_id bigint, word binary", keys=["user_id", "word"], sorted_by=["user_id", "word"]
)


def personal_columns(name: str) -> tuple[str, ...]:
    """The columns of the table of that name that people may be known by."""
    return FEEDBACK.personal if name == FEEDBACK.name else ()

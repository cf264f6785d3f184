"""Event types as one small number, which is also their order at one instant."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from pozytywka_spark.schemas import ADVERTISEMENT, BUY_PREMIUM, LIKE, PLAY, SKIP

# At one instant a SKIP ends the play before it, and the next PLAY comes last.
KINDS = {SKIP: 0, ADVERTISEMENT: 1, BUY_PREMIUM: 2, PLAY: 3, LIKE: 4}


def kind_of(event_type: Column) -> Column:
    """The event type's number: compared, sorted and shuffled at a fraction of the text's cost."""
    kind = F.when(event_type == PLAY, F.lit(KINDS[PLAY]))
    for name, number in KINDS.items():
        kind = kind if name == PLAY else kind.when(event_type == name, F.lit(number))
    return kind.cast("tinyint")


def is_kind(event_type: str) -> Column:
    """Whether the row's `kind` is this event type."""
    return F.col("kind") == F.lit(KINDS[event_type]).cast("tinyint")


def is_play() -> Column:
    """Whether the row is a PLAY."""
    return is_kind(PLAY)


def is_like() -> Column:
    """Whether the row is a LIKE, which comes while a track plays and doesn't end it."""
    return is_kind(LIKE)

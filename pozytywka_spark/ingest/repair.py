"""Repair of events: only what the session leaves certain, and marked.

The grammar of a session, read off real deliveries: a PLAY begins each play; LIKE and SKIP, in this
order and at most once each, belong to the play before them and bear its track; a SKIP bears the
very timestamp of the event after it and nothing else does; adverts and the purchase have no track;
a session has one user; premium is bought once and no advert follows the purchase.

A neighbour proves something only if it is the neighbour: where a row of the session may be missing
(see `gaps`), no type and no track is told by order; the user still is, for a session has one.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

from pozytywka_spark.schemas import ADVERTISEMENT, BUY_PREMIUM, LIKE, PLAY, SKIP

USER = "user_from_session"
TYPE = "type_by_order"
TRACK_OF_PLAY = "track_from_play"
TRACK_OF_FOLLOWER = "track_from_skip_or_like"

_OF_PLAY = (PLAY, LIKE, SKIP)


def repair(rows: DataFrame) -> DataFrame:
    """Fill `user_id`, `event_type` and `track_id` of the incomplete rows of whole sessions.

    Grain: event. `rows` holds each session's events once: `session_id, event_time, event_type,
    user_id, track_id, no_track` (the track was given as none), `gaps` (a row of the session may be
    missing), `typed` (of an event of silver: its type was once told by order; null: no),
    `source_file, source_order`. Adds `repair_reason` (null: untouched) and `copy` (true: a
    row without track whose instant in the session holds the same event with its track; or a row
    without type that comes again, the event made of it being there). What isn't certain stays null:
    so does the type of any other row that agrees, as far as it goes, with a complete event of its
    instant, being its copy or not.
    """
    told_user = _only("user_id", Window.partitionBy("session_id"))
    marked = rows.withColumns(
        {"_agrees": _agrees(), "_comes_again": _agrees(typed_only=True), "_user": told_user}
    ).withColumns({"copy": (F.col("_agrees") & F.col("event_type").isNotNull()) | F.col("_comes_again")})
    # a copy has no place of its own in the order of the session
    copies = marked.where(F.col("copy")).select(
        *rows.columns, F.lit(None).cast("string").alias("repair_reason"), "copy"
    )
    return _by_order(marked.where(~F.col("copy")), [*rows.columns, "copy"]).unionByName(copies)


def _by_order(marked: DataFrame, columns: list[str]) -> DataFrame:
    """Repair by the order of rows; `columns` of them are given back, and `repair_reason`."""
    session = Window.partitionBy("session_id")
    order = session.orderBy("event_time", _tie_rank(), "source_file", "source_order")
    type_told = F.when(~F.col("_agrees") & ~F.col("gaps"), _only_type())
    with_types = marked.withColumns(_surroundings(order, session)).withColumns(
        {"_type": F.coalesce("event_type", type_told)}
    )
    opens = (
        F.col("_prev_time").isNull()
        | F.col("_type").isNull()
        | F.col("_type").isin(PLAY, ADVERTISEMENT, BUY_PREMIUM)
        | _true(F.lag("_type").over(order) == SKIP)
    )
    play = Window.partitionBy("session_id", "_play")
    with_tracks = (
        with_types.withColumns({"_opens": opens.cast("int")})
        .withColumns({"_play": F.sum("_opens").over(order)})
        .withColumns({"_track": _only("track_id", play)})
    )
    lacks_track = F.col("track_id").isNull() & F.col("_type").isin(*_OF_PLAY)
    told = F.when(~F.col("gaps"), F.col("_track"))
    track = F.when(lacks_track, told).otherwise(F.col("track_id"))
    user = F.coalesce("user_id", "_user")
    reason = F.concat_ws(
        ",",
        F.when(F.col("user_id").isNull() & user.isNotNull(), F.lit(USER)),
        F.when(F.col("event_type").isNull() & F.col("_type").isNotNull(), F.lit(TYPE)),
        F.when(
            lacks_track & track.isNotNull(),
            F.when(F.col("_type") == PLAY, F.lit(TRACK_OF_FOLLOWER)).otherwise(F.lit(TRACK_OF_PLAY)),
        ),
    )
    return with_tracks.withColumns({"_reason": F.nullif(reason, F.lit("")), "_filled": track}).select(
        *(F.col(name) for name in columns if name not in ("user_id", "event_type", "track_id")),
        user.alias("user_id"),
        F.col("_type").alias("event_type"),
        F.col("_filled").alias("track_id"),
        F.col("_reason").alias("repair_reason"),
    )


def _tie_rank() -> Column:
    """Order within one instant: the SKIP first; a row without type before what follows a SKIP."""
    return F.when(F.col("event_type") == SKIP, 0).when(F.col("event_type").isNull(), 1).otherwise(2)


def _surroundings(order: WindowSpec, session: WindowSpec) -> dict[str, Column]:
    bought = F.when(F.col("event_type") == BUY_PREMIUM, F.col("event_time"))
    return {
        "_prev_time": F.lag("event_time").over(order),
        "_prev_type": F.lag("event_type").over(order),
        "_prev_track": F.lag("track_id").over(order),
        "_prev_trackless": F.lag("no_track").over(order),
        "_next_time": F.lead("event_time").over(order),
        "_next_type": F.lead("event_type").over(order),
        "_next_track": F.lead("track_id").over(order),
        "_bought": F.min(bought).over(session),
    }


def _only_type() -> Column:
    """The one type that track and order leave to a row without type; null if they leave none or several."""
    track = F.col("track_id")
    same_next = F.col("_next_track") == track
    opens = (
        F.col("_prev_time").isNull()
        | F.col("_prev_type").isin(SKIP, ADVERTISEMENT, BUY_PREMIUM)
        | F.col("_prev_trackless")
        | (F.col("_prev_track") != track)
    )
    ties = _true(F.col("_next_time") == F.col("event_time"))
    like_follows = _true(same_next & (F.col("_next_type") == LIKE))
    skip_follows = _true(same_next & (F.col("_next_type") == SKIP))
    liked = _true(F.col("_prev_type") == LIKE)
    continues = ~_true(opens)
    with_track = {
        PLAY: ~ties,
        LIKE: continues & ~ties & ~like_follows & ~liked,
        SKIP: continues & ~like_follows & ~skip_follows,
    }
    without_track = {
        ADVERTISEMENT: ~_true(F.col("_bought") < F.col("event_time")),
        BUY_PREMIUM: F.col("_bought").isNull(),
    }
    return F.when(track.isNotNull(), _single(with_track)).when(F.col("no_track"), _single(without_track))


def _single(possible: dict[str, Column]) -> Column:
    """The name that alone is possible, else null."""
    left = F.array_compact(F.array(*(F.when(column, F.lit(name)) for name, column in possible.items())))
    return F.when(F.size(left) == 1, left[0])


def _agrees(*, typed_only: bool = False) -> Column:
    """Whether a row without type or track agrees, as far as it goes, with a complete one of its instant.

    `typed_only`: with one whose own type was told by order.
    """
    instant = Window.partitionBy("session_id", "event_time")
    trackless = F.col("event_type").isin(ADVERTISEMENT, BUY_PREMIUM)
    whole = _true(trackless | (F.col("event_type").isNotNull() & F.col("track_id").isNotNull()))
    compared = whole & _true(F.col("typed")) if typed_only else whole
    complete = F.collect_set(F.when(compared, F.struct("event_type", "track_id"))).over(instant)
    kind, track = F.col("event_type"), F.col("track_id")
    found = F.exists(
        complete,
        lambda event: (
            (kind.isNull() | (event["event_type"] == kind))
            & F.when(F.col("no_track"), event["track_id"].isNull()).otherwise(
                track.isNull() | (event["track_id"] == track)
            )
        ),
    )
    return ~whole & _true(found)


def _only(name: str, window: WindowSpec) -> Column:
    """The value that all rows of the window with one agree on, else null."""
    low, high = F.min(name).over(window), F.max(name).over(window)
    return F.when(low == high, low)


def _true(condition: Column) -> Column:
    """Unknown counts as not so."""
    return F.coalesce(condition, F.lit(False))

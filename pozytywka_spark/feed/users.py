"""Some of a batch's users alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pozytywka_spark.feed.listening import Listeners, Listening
from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.feed.prepare_work import Batch


def only(batch: Batch, chosen: Array) -> Batch:
    """Those of a mask."""
    return replace(batch, listeners=some_listeners(batch.listeners, chosen))


def some_listeners(listeners: Listeners, chosen: Array) -> Listeners:
    """Those of a mask."""
    listening = listeners.listening
    number = np.cumsum(chosen) - 1
    play, like = chosen[listening.play_user], chosen[listening.like_user]
    part = Listening(
        number[listening.play_user[play]],
        listening.play_track[play],
        listening.play_us[play],
        listening.play_finished[play],
        listening.play_skipped[play],
        number[listening.like_user[like]],
        listening.like_track[like],
        listening.like_us[like],
    )
    return Listeners(listeners.user_id[chosen], listeners.city[chosen], listeners.favourites[chosen], part)

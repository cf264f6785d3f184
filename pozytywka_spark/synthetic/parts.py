"""One part of each file: its lines, and what was planted in them. A function of plan and number alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from pozytywka_spark.config import Dirt
from pozytywka_spark.synthetic import lines
from pozytywka_spark.synthetic.catalogue import catalogue_of
from pozytywka_spark.synthetic.dirt import Planted, dirty_sessions
from pozytywka_spark.synthetic.dirt_rows import dirty_rows
from pozytywka_spark.synthetic.events import BUY_PREMIUM, events_of
from pozytywka_spark.synthetic.life import life_of
from pozytywka_spark.synthetic.lines import Row, SessionRows
from pozytywka_spark.synthetic.people import passports
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.texts.messages import messages_of

ROWS_A_PART = 20_000  # of the catalogue's files
_DIRT = 4  # key of the random numbers of dirt, so that a dirty world holds the clean one

Part = tuple[pa.Array, Planted]


def sessions_part(plan: Plan, chunk: int) -> Part:
    """Part of the sessions file."""
    life = life_of(plan, chunk)
    rows = SessionRows.of(events_of(plan, life), life.people)
    catalogue = catalogue_of(plan)
    if plan.world.dirt == Dirt():
        return lines.session_lines(rows, catalogue), Planted.none()
    return dirty_sessions(rows, catalogue, plan.world.dirt, plan.rng(_DIRT, 0, chunk))


def users_part(plan: Plan, chunk: int) -> Part:
    """Part of the users file: who has premium follows from the events."""
    life = life_of(plan, chunk)
    events = events_of(plan, life)
    premium = np.isin(np.arange(len(life.people)), events.user[events.kind == BUY_PREMIUM])
    genres = catalogue_of(plan).genres
    rows = lines.user_rows(life.people, passports(plan, chunk), premium, genres)
    return _with_dirt(plan, "users", rows, 1, chunk)


def artists_part(plan: Plan, part: int) -> Part:
    """Part of the artists file."""
    return _with_dirt(plan, "artists", lines.artist_rows(catalogue_of(plan), _rows(part)), 2, part)


def tracks_part(plan: Plan, part: int) -> Part:
    """Part of the tracks file."""
    return _with_dirt(plan, "tracks", lines.track_rows(catalogue_of(plan), _rows(part)), 3, part)


def storage_part(plan: Plan, part: int) -> Part:
    """Part of the track storage file."""
    return _with_dirt(plan, "track_storage", lines.storage_rows(catalogue_of(plan), _rows(part)), 4, part)


def feedback_part(plan: Plan, chunk: int) -> Part:
    """Part of the file of what people write, in worlds where they do."""
    rows = [message.row for message in messages_of(plan, chunk)]
    return _with_dirt(plan, "feedback", rows, 5, chunk)


# How to make the parts of the entities of every world; the sessions last, for they take the longest.
PARTS: dict[str, Callable[[Plan, int], Part]] = {
    "artists": artists_part,
    "tracks": tracks_part,
    "track_storage": storage_part,
    "users": users_part,
    "sessions": sessions_part,
}


def entities_of(plan: Plan) -> dict[str, Callable[[Plan, int], Part]]:
    """How to make the parts of what this world delivers."""
    return {**PARTS, "feedback": feedback_part} if plan.world.feedback.rate else PARTS


def parts_of(plan: Plan, entity: str) -> int:
    """Number of an entity's parts: it doesn't depend on who makes them."""
    rows = {"artists": plan.world.artists, "tracks": plan.world.tracks, "track_storage": plan.world.tracks}
    return plan.chunks if entity not in rows else -(-rows[entity] // ROWS_A_PART)


def _with_dirt(plan: Plan, entity: str, rows: list[Row], key: int, part: int) -> Part:
    if plan.world.dirt == Dirt():
        return pa.array(lines.dump(rows), pa.string()), Planted.none()
    written, planted = dirty_rows(entity, rows, plan.world.dirt, plan.rng(_DIRT, key, part))
    return pa.array(written, pa.string()), planted


def _rows(part: int) -> slice:
    return slice(part * ROWS_A_PART, (part + 1) * ROWS_A_PART)

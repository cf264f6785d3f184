"""One user through all stages, told: what came, what went and why, what each value is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pozytywka_spark.feed import blobs
from pozytywka_spark.feed.arrange.rules import EXPLORE, POLICY, relaxed
from pozytywka_spark.feed.integrity import PASSED, RULES
from pozytywka_spark.feed.inventory.collect import SOURCES
from pozytywka_spark.feed.prepare_work import Batch
from pozytywka_spark.feed.rank_work import Look
from pozytywka_spark.feed.ranking import Ranked
from pozytywka_spark.feed.rows import NEW_ARTIST, PASSED_OVER, PROMOTED
from pozytywka_spark.feed.track_side import Tracks
from pozytywka_spark.feed.users import only
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.names import HEADS

STAGES, REMOVED, DROPPED, PLACES, ABSENT = "stages", "removed", "dropped", "places", "absent"
_SHOWN = 10


@dataclass(frozen=True)
class ExplainUser:
    """Work on the user's slice: tells tables of rows, by STAGES, REMOVED, DROPPED, PLACES and ABSENT."""

    look: Look
    user_id: int

    def __call__(self, items: Sequence[Parcel], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line, or none if the user isn't of the slice."""
        for item in items:
            batch = blobs.unpack(files, item, Batch)
            chosen = batch.listeners.user_id == self.user_id
            if chosen.any():
                for ranked, shared in self.look.ranked(only(batch, chosen), int(item.key[0]), files):
                    weights = self.look.plan.weights
                    yield told(ranked, shared.tracks, shared.traits.promoted, weights)


def told(ranked: Ranked, tracks: Tracks, promoted: Any, weights: Any) -> dict[str, Any]:
    """Of a batch of one user."""
    return {
        STAGES: [
            {"stage": stage, "rule": rule, "tracks in": count.tracks_in, "tracks out": count.tracks_out}
            for (stage, rule), count in ranked.counts.items()
            if not rule or count.tracks_in or count.tracks_out
        ],
        REMOVED: _removed(ranked, tracks),
        DROPPED: _dropped(ranked, tracks),
        PLACES: _places(ranked, tracks, promoted, weights),
        ABSENT: _absent(ranked, tracks, weights),
    }


def _removed(ranked: Ranked, tracks: Tracks) -> list[dict[str, Any]]:
    """By integrity, the first of each rule."""
    rows = []
    for number, rule in RULES.items():
        for entry in np.flatnonzero(ranked.verdict == number)[:_SHOWN].tolist():
            rows.append({**_named(ranked.found.track[entry], tracks), "rule": rule})
    return rows


def _dropped(ranked: Ranked, tracks: Tracks) -> list[dict[str, Any]]:
    """By the light pass, the best of them."""
    score = np.where(ranked.verdict == PASSED, ranked.light, -np.inf)
    score[ranked.places] = -np.inf
    best = np.argsort(-score, kind="stable")[:_SHOWN]
    return [
        {**_named(ranked.found.track[entry], tracks), "light score": float(score[entry])}
        for entry in best.tolist()
        if np.isfinite(score[entry])
    ]


def _places(ranked: Ranked, tracks: Tracks, promoted: Any, weights: Any) -> list[dict[str, Any]]:
    pages, rows = ranked.pages, []
    for place, entry in enumerate(pages.entry[0].tolist()):
        if entry < 0:
            break
        track = ranked.kept.track[entry]
        marks = relaxed(int(pages.broken[0, place]))
        for flag, mark in (
            (ranked.passed[entry] > 0, PASSED_OVER),
            (ranked.new[entry], NEW_ARTIST),
            (promoted[track], PROMOTED),
        ):
            marks += [mark] if flag else []
        rows.append(
            {
                "position": place + 1,
                **_named(track, tracks),
                **_value(ranked, entry, weights),
                "by value": int((ranked.value > ranked.value[entry]).sum()) + 1,
                "light score": float(ranked.light[ranked.places[entry]]),
                "sources": _sources(ranked.kept.sources[entry]),
                "marks": ", ".join(marks),
                "stream": EXPLORE if pages.explored[0, place] else POLICY,
                "probability": float(pages.probability[0, place]),
            }
        )
    return rows


def _absent(ranked: Ranked, tracks: Tracks, weights: Any) -> list[dict[str, Any]]:
    """Tracks whose value would have brought them onto the page, and what kept them off it."""
    standing = ranked.pages.entry[0]
    places = int((standing >= 0).sum())
    best = np.argsort(-ranked.value, kind="stable")[:places]
    rows = []
    for at, entry in enumerate(best.tolist()):
        if entry in standing:
            continue
        times = int(ranked.passed[entry])
        why = (
            f"passed over {times} times" if times else "its artist, its genre, or tracks like it stand there"
        )
        rows.append(
            {
                "by value": at + 1,
                **_named(ranked.kept.track[entry], tracks),
                **_value(ranked, entry, weights),
                "why": why,
            }
        )
    return rows


def _named(track: int, tracks: Tracks) -> dict[str, Any]:
    side = tracks.side
    if track < 0:
        return {"track": "", "artist": ""}
    return {"track": str(side.track_id[track]), "artist": str(side.artist_id[side.artist[track]])}


def _value(ranked: Ranked, entry: int, weights: Any) -> dict[str, Any]:
    """The value and its parts: weight times chance, by head."""
    parts: Mapping[str, float] = {
        head: float(weights[number] * ranked.chances[entry, number]) for number, head in enumerate(HEADS)
    }
    return {"value": float(ranked.value[entry]), **parts}


def _sources(bits: int) -> str:
    return ", ".join(name for number, name in enumerate(SOURCES) if int(bits) >> number & 1)

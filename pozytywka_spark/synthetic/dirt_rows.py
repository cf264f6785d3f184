"""Planted defects of users, artists, tracks, storage and texts: at most one in a row, as in sessions."""

from __future__ import annotations

from collections.abc import Callable

from pozytywka_spark.config import Dirt
from pozytywka_spark.names import AUDIO_FEATURES
from pozytywka_spark.synthetic import lines
from pozytywka_spark.synthetic.dirt import Planted, cut
from pozytywka_spark.synthetic.lines import Row
from pozytywka_spark.synthetic.plan import Rng

Change = Callable[[Row], Row | None]  # None: this row is not fit for the defect


def _with(**values: object) -> Change:
    return lambda row: {**row, **values}


def _flag(was: bool) -> Change:
    return lambda row: {**row, "premium_user": not was} if row["premium_user"] is was else None


# Changed in place; the row goes on being useful.
_IN_PLACE: dict[str, dict[str, Change]] = {
    "users": {
        "null_favourite_genres": _with(favourite_genres=None),
        "null_premium_user": _with(premium_user=None),
        "stray_id": _with(id=-1),
        "premium_without_purchase": _flag(was=False),
        "purchase_without_premium": _flag(was=True),
    },
    "artists": {"null_genres": _with(genres=None)},
    "tracks": {
        "null_id_artist": _with(id_artist=None),
        "orphan_artist": _with(id_artist="0UnknownArtist00000000"),
        "zero_tempo": _with(tempo=0.0),
        "zero_audio": _with(**dict.fromkeys(AUDIO_FEATURES, 0.0)),
        "loud": _with(loudness=1.5),
    },
    "track_storage": {},
    "feedback": {
        "null_user_id": _with(user_id=None),
        "bad_timestamp": _with(timestamp="yesterday"),
    },
}

# On top of the clean rows: nothing else refers to them.
_ON_TOP: dict[str, dict[str, Change]] = {
    "users": {"wrong_type": _with(user_id="nobody")},
    "artists": {"minus_one_id": _with(id=-1), "wrong_type": _with(genres="rock")},
    "tracks": {
        "null_id": _with(id=None),
        "minus_one_id": _with(id=-1),
        "wrong_type": _with(duration_ms="three minutes"),
    },
    "track_storage": {
        "orphan_storage": _with(track_id="0UnknownTrack000000000"),
        "wrong_type": _with(daily_cost="cheap"),
    },
    "feedback": {"wrong_type": _with(text=["no", "text"])},
}


def dirty_rows(entity: str, rows: list[Row], dirt: Dirt, rng: Rng) -> tuple[list[str], Planted]:
    """The lines of a part with defects at the rates of `dirt`, and what was planted."""
    planted = Planted.none()
    changed, clean = list(rows), [True] * len(rows)
    for defect, change in _IN_PLACE[entity].items():
        for at in _some(getattr(dirt, defect), clean, rng):
            bad = change(rows[at])
            if bad is not None:
                changed[at], clean[at] = bad, False
                planted.add(defect, [at], lines.dump([rows[at]]))
    written = lines.dump(changed)
    extras: list[tuple[str, str]] = []
    for defect, change in _ON_TOP[entity].items():
        picked = _some(getattr(dirt, defect), clean, rng)
        extras += [(defect, line) for line in lines.dump(filter(None, (change(rows[at]) for at in picked)))]
    extras += [("duplicate_row", written[at]) for at in _some(dirt.duplicate_row, clean, rng)]
    extras += [("broken_json", cut(written[at], rng)) for at in _some(dirt.broken_json, clean, rng)]
    for number, (defect, _) in enumerate(extras):
        planted.add(defect, [len(written) + number])
    return written + [line for _, line in extras], planted


def _some(rate: float, clean: list[bool], rng: Rng) -> list[int]:
    """Rows still untouched, each with chance `rate`."""
    return [at for at, drawn in enumerate(rng.random(len(clean)) < rate) if drawn and clean[at]]

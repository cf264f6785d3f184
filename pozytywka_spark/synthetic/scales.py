"""Named sizes, and the rates of defects seen in real dirty deliveries, as `key=value` settings."""

from __future__ import annotations

from pozytywka_spark.config import Dirt

# `small` is what the settings say by themselves; `headline` is the size of the real service.
SCALES: dict[str, tuple[str, ...]] = {
    "tiny": (
        "synthetic.users=60",
        "synthetic.months=6",
        "synthetic.tracks=600",
        "synthetic.artists=150",
        "synthetic.played_tracks=200",
        "synthetic.genres=120",
    ),
    "small": (),
    "headline": (
        "synthetic.users=20000",
        "synthetic.months=39",
        "synthetic.start=2020-01",
        "synthetic.tracks=129648",
        "synthetic.artists=27524",
        "synthetic.played_tracks=10708",
        "synthetic.genres=3912",
    ),
}

# Nulls, stray and -1 identifiers as counted in a real dirty delivery; the rest is rarer.
_WILD = {
    "lower_case_event_type": 0.05,
    "misspelt_advertisement": 0.01,
    "null_user_id": 0.048,
    "null_track_id": 0.053,
    "null_event_type": 0.048,
    "null_favourite_genres": 0.02,
    "null_premium_user": 0.04,
    "stray_id": 0.1,
    "null_genres": 0.05,
    "minus_one_id": 0.05,
}
_RARE = 0.002


def dirt_settings(rate: float | None) -> tuple[str, ...]:
    """Every defect at `rate`; as in the wild if it is None."""
    return tuple(
        f"synthetic.dirt.{defect}={_WILD.get(defect, _RARE) if rate is None else rate}"
        for defect in Dirt.model_fields
    )

"""Which job writes which table, in which file of the package: a test holds it against the code."""

from __future__ import annotations

_SILVER = ("ingest", "ingest/resolve/commit_batch.py")
_MODERATED = ("moderation", "moderation/run.py")
_BUILT = ("features", "features/build/commit_tables.py")

WRITERS: dict[str, tuple[str, str]] = {
    "appeals": ("moderation", "moderation/stage.py"),
    "artist_debuts": _BUILT,
    "artists": _SILVER,
    "assignments": ("experiment", "experiments/assignment/assign.py"),
    "blocks": _MODERATED,
    "data_span": ("ingest", "lake/event_days.py"),
    "discounted_plays": ("moderation", "moderation/discount.py"),
    "events": _SILVER,
    "experiment_results": ("experiment", "experiments/stage.py"),
    "experiments": ("experiment", "experiments/assignment/definitions.py"),
    "exposures": ("experiment", "experiments/assignment/importing.py"),
    "feature_builds": ("features", "features/build/state_tables.py"),
    "features": _BUILT,
    "first_likes": _BUILT,
    "first_purchases": _BUILT,
    "fouls": _MODERATED,
    "ingest_counts": ("ingest", "ingest/intake/ingest_log.py"),
    "ingest_files": ("ingest", "ingest/intake/ingest_log.py"),
    "ingests": ("ingest", "ingest/intake/ingest_log.py"),
    "labels": _BUILT,
    "moderation_runs": _MODERATED,
    "monitoring": ("monitor", "monitoring/table.py"),
    "monthly_steps": ("pipeline", "orchestration/state.py"),
    "predictions": ("score", "scoring/stage.py"),
    "quality": ("ingest", "ingest/quality/findings.py"),
    "quarantine": _SILVER,
    "releases": _MODERATED,
    "rescued": _SILVER,
    "simulations": ("simulate", "simulation/stage.py"),
    "track_plays": _BUILT,
    "track_storage": _SILVER,
    "tracks": _SILVER,
    "uplift": ("experiment", "experiments/uplift/stage.py"),
    "user_debuts": _BUILT,
    "user_month": _BUILT,
    "users": _SILVER,
    "verdicts": ("moderation", "moderation/stage.py"),
    "verdicts_aside": ("moderation", "moderation/stage.py"),
}

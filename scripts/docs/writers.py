"""Which job writes which table, in which file of the package: a test holds it against the code."""

from __future__ import annotations

_SILVER = ("ingest", "ingest/resolve/commit_batch.py")
_BUILT = ("features", "features/build/commit_tables.py")

WRITERS: dict[str, tuple[str, str]] = {
    "artist_debuts": _BUILT,
    "artists": _SILVER,
    "assignments": ("experiment", "experiments/assignment/assign.py"),
    "data_span": ("ingest", "lake/event_days.py"),
    "decisions": ("factory", "factory/decide.py"),
    "events": _SILVER,
    "experiment_results": ("experiment", "experiments/stage.py"),
    "experiments": ("experiment", "experiments/assignment/definitions.py"),
    "exposures": ("experiment", "experiments/assignment/importing.py"),
    "factory_boosters": ("factory", "factory/build.py"),
    "factory_models": ("factory", "factory/states.py"),
    "feature_builds": ("features", "features/build/state_tables.py"),
    "features": _BUILT,
    "first_likes": _BUILT,
    "first_purchases": _BUILT,
    "ingest_counts": ("ingest", "ingest/intake/ingest_log.py"),
    "ingest_files": ("ingest", "ingest/intake/ingest_log.py"),
    "ingests": ("ingest", "ingest/intake/ingest_log.py"),
    "labels": _BUILT,
    "monitoring": ("monitor", "monitoring/table.py"),
    "monthly_steps": ("pipeline", "orchestration/state.py"),
    "predictions": ("score", "scoring/stage.py"),
    "quality": ("ingest", "ingest/quality/findings.py"),
    "quarantine": _SILVER,
    "rescued": _SILVER,
    "second_looks": ("factory", "factory/build.py"),
    "simulations": ("simulate", "simulation/stage.py"),
    "track_plays": _BUILT,
    "track_storage": _SILVER,
    "tracks": _SILVER,
    "uplift": ("experiment", "experiments/uplift/stage.py"),
    "user_debuts": _BUILT,
    "user_month": _BUILT,
    "users": _SILVER,
}

"""Which jobs write which table, in which files of the package: a test holds it against the code."""

from __future__ import annotations

Writer = tuple[str, str]

_SILVER: Writer = ("ingest", "ingest/resolve/commit_batch.py")
_MODERATED: Writer = ("moderation", "moderation/run.py")
_BUILT: Writer = ("features", "features/build/commit_tables.py")

WRITERS: dict[str, tuple[Writer, ...]] = {
    "appeals": (("moderation", "moderation/stage.py"),),
    "artist_debuts": (_BUILT,),
    "artists": (_SILVER,),
    "assignments": (("experiment", "experiments/assignment/assign.py"),),
    "blocks": (_MODERATED,),
    "cases": (("fraud", "fraud/stage.py"),),
    "data_span": (("ingest", "ingest/quality/write_report.py"), _BUILT),
    "decisions": (("factory", "factory/decide.py"),),
    "discounted_plays": (("moderation", "moderation/discount.py"),),
    "events": (_SILVER, ("maintain", "ingest/relayout.py")),
    "experiment_results": (("experiment", "experiments/stage.py"),),
    "experiments": (("experiment", "experiments/assignment/definitions.py"),),
    "exposures": (("experiment", "experiments/assignment/importing.py"),),
    "factory_boosters": (("factory", "factory/build.py"),),
    "factory_models": (("factory", "factory/states.py"),),
    "feature_builds": (("features", "features/build/state_tables.py"),),
    "features": (_BUILT,),
    "first_likes": (_BUILT,),
    "first_purchases": (_BUILT,),
    "fouls": (_MODERATED,),
    "fraud_scans": (("fraud", "fraud/inputs.py"),),
    "ingest_counts": (("ingest", "ingest/intake/ingest_log.py"),),
    "ingest_files": (("ingest", "ingest/intake/ingest_log.py"),),
    "ingests": (("ingest", "ingest/intake/ingest_log.py"),),
    "labels": (_BUILT,),
    "moderation_runs": (_MODERATED,),
    "monitoring": (("monitor", "monitoring/table.py"),),
    "monthly_steps": (("pipeline", "orchestration/state.py"),),
    "predictions": (("score", "scoring/stage.py"),),
    "quality": (("ingest", "ingest/quality/findings.py"),),
    "quarantine": (_SILVER,),
    "releases": (_MODERATED,),
    "rescued": (_SILVER,),
    "rings": (("fraud", "fraud/stage.py"),),
    "second_looks": (("factory", "factory/build.py"),),
    "signals": (("fraud", "fraud/stage.py"),),
    "simulations": (("simulate", "simulation/stage.py"),),
    "track_plays": (_BUILT,),
    "track_storage": (_SILVER,),
    "tracks": (_SILVER,),
    "uplift": (("experiment", "experiments/uplift/stage.py"),),
    "user_debuts": (_BUILT,),
    "user_month": (_BUILT,),
    "users": (_SILVER,),
    "verdicts": (("moderation", "moderation/stage.py"), _MODERATED),
    "verdicts_aside": (("moderation", "moderation/stage.py"),),
}

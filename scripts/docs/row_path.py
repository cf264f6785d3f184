"""Which files of the package a sessions line passes on its way to a prediction, by watching functions run.

`python -m scripts.docs.row_path [USER ...]` makes the world of `life.py` and takes it through ingest,
features, train and score, all work in this process, so that none of it goes unseen. Users and catalogue are
taken in unwatched, then the sessions. What counts: see `row_watch`. Of each file one function is printed that
was handed the row, and what that was.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from pozytywka_spark.config import load_settings
from pozytywka_spark.lake import run_tasks
from scripts.docs.life import MONTH, SETTINGS, deliver
from scripts.docs.row_watch import Stage, Watch, watched

USER = 282  # whose line the page on the life of a row follows
_TO_PREDICTION = ("ingest", "features", "score")


def follow(home: Path, users: Sequence[int]) -> Watch:
    """Take the world of `life.py` through every stage below `home`, watching the rows of users."""
    from pozytywka_spark.features.stage import build_features
    from pozytywka_spark.ingest.stage import ingest
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.scoring.stage import score
    from pozytywka_spark.spark.session_on_demand import session_on_demand
    from pozytywka_spark.training.stage import train

    settings = load_settings("local", [f"home={home}", f"raw.path={home}/raw", *SETTINGS])
    deliver(home / "raw")
    sessions, aside = home / "raw" / "sessions.jsonl", home / "sessions.jsonl"
    sessions.rename(aside)
    spark = session_on_demand(settings, "row-path")
    lake = open_lake(settings, spark)
    ingest(spark, settings, lake)
    aside.rename(sessions)
    watch = Watch(*users)
    everything = {"INLINE_BYTES": sys.maxsize, "INLINE_ITEMS": sys.maxsize}
    with mock.patch.multiple(run_tasks, **everything):
        with watched(watch, "ingest"):
            ingest(spark, settings, lake)
        with watched(watch, "features"):
            build_features(spark, settings, lake)
        with watched(watch, "train", any_length=True):
            train(spark, settings, lake)
        with watched(watch, "score"):
            score(spark, settings, lake, MONTH)
    return watch


def _files(stages: Sequence[Stage], what: str) -> int:
    """Different files of stages."""
    return len({file for stage in stages for file in getattr(stage, what)})


def main() -> int:
    """Print the files by stage, and how many there are in all."""
    users = [int(user) for user in sys.argv[1:]] or [USER]
    with tempfile.TemporaryDirectory(prefix="row-path-") as folder:
        watch = follow(Path(folder), users)
    stages = watch.stages
    everywhere = [stages[name] for name in (*_TO_PREDICTION, "train")]
    lines = [
        f"{label}: {_files(chosen, 'on_the_way')} on the way; with checks, guards and pages "
        f"{_files(chosen, 'handed')} handed the row, of {_files(chosen, 'run')} run"
        for label, chosen in (
            ("from line to prediction, by a model that is there", [stages[name] for name in _TO_PREDICTION]),
            ("all stages, training too", everywhere),
        )
    ]
    print("\n".join(lines))  # noqa: T201 a command's own output
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How the suite is shared among workers: whose tests go one after another in one, and which begin first.

A training that many tests look at is made once a session, in seconds: tests that have such a thing in common
stay in one worker; all others go by their file. Whatever runs in a Spark session goes to the first worker as
long as the others have anything else to do: each session has Java compile the same for half a minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

# by the fixture that is made once a session
TOGETHER: Mapping[str, tuple[str, ...]] = {
    "trained": (
        "tests/jobs/test_train.py",
        "tests/monitoring/test_monitoring_stage.py",
        "tests/scoring/test_reasons.py",
        "tests/scoring/test_scoring_stage.py",
        "tests/training/test_across.py",
        "tests/training/test_dossier.py",
        "tests/training/test_pins.py",
        "tests/training/test_predicted.py",
        "tests/training/test_prefer_simple.py",
        "tests/training/test_promotion.py",
        "tests/training/test_reproduce.py",
        "tests/training/test_store_trouble.py",
        "tests/training/test_training_stage.py",
        "tests/training/test_tuned_run.py",
    ),
    "known": ("tests/experiments/test_experiment_job.py", "tests/experiments/test_report.py"),
}

# Shares of minutes, the longest first: begun last, one of them would keep one worker busy alone
LONG = (
    "tests/cluster/",
    "tests/lake/test_engines_in_turn.py",
    "tests/jobs/test_pipeline.py",
    "trained",
    "tests/jobs/test_features_end_to_end.py",
    "tests/ingest/test_ingest_crashes.py",
    "known",
    "tests/features/test_oracle.py",
    "tests/jobs/test_pipeline_monthly.py",
    "tests/lake/test_contract.py",
    "tests/experiments/test_assign.py",
    "tests/features/test_incremental.py",
    "tests/experiments/test_uplift.py",
    "tests/store/",
    "tests/jobs/test_wheel.py",
)


# Files that name Spark, for processes of their own: any worker is as good
ELSEWHERE = (
    "tests/cluster/",
    "tests/featurestore/test_killed_and_raced.py",
    "tests/jobs/test_wheel.py",
    "tests/lake/test_engines_in_turn.py",
    "tests/library/",
    "tests/store/test_s3a.py",
    "tests/test_process_user.py",
    "tests/test_submit.py",
)
# what a file says whose tests run in their worker's session; the last two are fixtures of tests/lake
_OF_A_SESSION = re.compile(r"\bspark\b|session_on_demand|: Bench\b|\brs\b")


def share_of(nodeid: str) -> str:
    """What a test is run together with: a name of the above, or its file."""
    file = nodeid.split("::", 1)[0]
    return next((name for name, files in TOGETHER.items() if file in files), file)


def place_of(nodeid: str) -> int:
    """When its share begins, the lowest first."""
    share = share_of(nodeid)
    return next((place for place, long in enumerate(LONG) if share.startswith(long)), len(LONG))


@cache
def in_session(share: str) -> bool:
    """Whether tests of a share run in their worker's Spark session, as their file reads."""
    if share in TOGETHER:
        return True
    file = Path(share)
    if share.startswith(ELSEWHERE) or not file.is_file():
        return False
    return _OF_A_SESSION.search(file.read_text(encoding="utf-8")) is not None


def next_share(waiting: Iterable[str], *, first: bool) -> str:
    """The next share of those in a session for the first worker, of all others for the others; else any."""
    shares = list(waiting)
    return next((share for share in shares if in_session(share) is first), shares[0])


class ByShare(LoadFileScheduling):
    """A share at a time to whichever worker is free."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        share = next_share(self.workqueue, first=node is self.nodes[0])
        self.workqueue.move_to_end(share, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByShare | None:
    """With `--dist loadfile`, as scripts/test.sh has it."""
    return ByShare(config, log) if config.getvalue("dist") == "loadfile" else None

"""Guard 1 over the catalogue: no false alarm, whatever the seed; which worlds there are; samples."""

from __future__ import annotations

from pozytywka_spark.features.build.plan import plan_of
from pozytywka_spark.features.catalogue import CATALOGUE
from pozytywka_spark.features.guards.compare_slices import Maker
from pozytywka_spark.features.guards.rebuild import measure_months
from tests.features.guards.made_builds import build_with, dimensions_of, perturbation, silver_events

PLAN = plan_of(CATALOGUE)
SEEDS = 20


def test_the_catalogue_raises_no_false_alarm_over_twenty_seeds() -> None:
    """Twenty copies of each user, whose futures are invented each in its own way, in one run."""
    build = build_with(
        silver_events(SEEDS), measure_months, Maker, PLAN, tables=lambda tasks: dimensions_of(tasks, SEEDS)
    )
    result = perturbation(build)
    assert (result.guard, result.checked) == (
        "perturbation", "all 320 users, future after 2021-09 deleted and scrambled, after 2022-03 scrambled",
    )  # fmt: skip
    assert result.seconds > 0

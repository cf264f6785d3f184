"""What a simulation says to the person at the terminal when there is nothing to search."""

from __future__ import annotations

from datetime import date

from pozytywka_spark.cli import OUT
from pozytywka_spark.simulation.console import show_simulation
from pozytywka_spark.simulation.stage import SimulationReport


def test_groups_that_are_all_too_small_are_told_with_a_way_out() -> None:
    report = SimulationReport(
        month=date(2023, 5, 1), segment_by="city", model_name="m", model_version=1, fronts=[],
        notes=("city: Gdynia is left out: 6 users, fewer than 50",), path="p", page="", run_id="r",
        tracking_uri="u", unchanged=False,
    )  # fmt: skip
    with OUT.capture() as told:
        show_simulation(report)
    assert "no group has users enough to search: choose --segment all" in told.get()
    assert "Gdynia is left out" in told.get()

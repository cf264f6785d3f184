"""What a monitoring says to the person at the terminal, and the threshold of few purchases."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pozytywka_spark.cli import OUT
from pozytywka_spark.config import Monitoring
from pozytywka_spark.monitoring.alerts import performance_rows
from pozytywka_spark.monitoring.console import ALERTS, QUIET, show_monitoring
from pozytywka_spark.monitoring.performance import REALISED, Measured
from pozytywka_spark.monitoring.stage import MonitoringReport


def row(subject: str, value: float, threshold: float | None) -> dict[str, Any]:
    return {
        "subject": subject, "metric": "psi", "value": value, "threshold": threshold, "alert": False,
        "detail": "", "low": None, "high": None,
    }  # fmt: skip


def report_of(*findings: dict[str, Any]) -> MonitoringReport:
    return MonitoringReport(
        month=date(2023, 5, 1), reference="2023-01..2023-03", model_name="m", model_version=1,
        label="buys_within_30_days",
        findings=findings, alerts=(), retrain_advised=False, backfilled=[], path="p", page="", run_id="r",
        tracking_uri="u", unchanged=False,
    )  # fmt: skip


def test_features_that_are_never_alarmed_are_counted_not_listed() -> None:
    """They grow all the time, and would push what matters off the list."""
    with OUT.capture() as told:
        code = show_monitoring(
            report_of(row("tenure_days", 9.0, None), row("skip_rate", 0.1, 0.15), row("score", 0, 1))
        )
    text = told.get()
    assert code == QUIET != ALERTS
    assert "tenure_days" not in text
    assert text.index("score ") < text.index("skip_rate ")
    assert "1 more features are measured, never alarmed" in text


@pytest.mark.parametrize(
    ("realised", "expected", "high", "threshold", "alert"),
    [
        (6.0, 6.9, 11.5, 0.0, False),  # none at all would be chance too
        (0.0, 100.0, 104.0, 70.0, True),
        (140.0, 100.0, 104.0, 130.0, True),
        (125.0, 100.0, 104.0, 130.0, False),
    ],
)
def test_purchases_are_far_from_expected_beyond_chance_and_tolerance(
    realised: float, expected: float, high: float, threshold: float, alert: bool
) -> None:
    measured = {
        "purchases": Measured(realised, realised, realised),
        "purchases_expected": Measured(expected, 2 * expected - high, high),
    }
    found = performance_rows({REALISED: measured}, {}, Monitoring(), 50)[0]
    assert (found["threshold"], found["alert"]) == (pytest.approx(threshold), alert)
    assert found["detail"] == f"{expected:.1f} were expected"

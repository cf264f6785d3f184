"""What a scoring says to the person at the terminal."""

from __future__ import annotations

from datetime import date

from pozytywka_spark.cli import OUT
from pozytywka_spark.scoring.console import show_scoring
from pozytywka_spark.scoring.stage import ScoringReport


def test_why_a_month_was_taken_is_one_line() -> None:
    note = (
        "2023-04 has begun: its data end on 2023-04-02; scored 2023-03; --month 2023-04 takes it all the same"
    )
    report = ScoringReport(
        month=date(2023, 3, 1), complete=True, note=note, rows=5, model_name="m", model_version=1, deciles=[],
        model_kind="trees", label="buys_within_30_days", path="p", unchanged=False,
    )  # fmt: skip
    with OUT.capture() as told:
        show_scoring(report)
    lines = told.get().splitlines()
    assert "2023-03 scored by m version 1 (trees), for buys_within_30_days" in lines
    assert note in lines

"""An experiment by its name: start, enrol, read, end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pozytywka_spark.library.months import Month, month_of

if TYPE_CHECKING:
    from pozytywka_spark.experiments.assignment.assign import AssignReport
    from pozytywka_spark.experiments.assignment.definition import Definition
    from pozytywka_spark.experiments.stage import ExperimentReport
    from pozytywka_spark.experiments.uplift.report import UpliftReport
    from pozytywka_spark.library.pozytywka import Pozytywka


@dataclass(frozen=True)
class Experiment:
    """An experiment of a Pozytywka. A cut-off `at` is the first of a month; default: as `experiment --at`."""

    pozytywka: Pozytywka
    name: str

    def assign(self, shares: Mapping[str, float] | None = None, *, at: Month | None = None) -> AssignReport:
        """Start it with `shares` (percent a treatment), or enrol newcomers. Raises as `assign` does."""
        from pozytywka_spark.experiments.assignment.assign import assign

        here = self.pozytywka
        cut_off = None if at is None else month_of(at)
        return assign(here.settings, here.lake, self.name, shares, cut_off)

    def report(self) -> ExperimentReport:
        """What difference it made: table, page, MLflow run. Raises as `experiments.stage.report` does."""
        from pozytywka_spark.experiments.stage import report

        here = self.pozytywka
        return report(here.settings, here.lake, self.name)

    def uplift(self, treatment: str | None = None) -> UpliftReport:
        """Who was persuaded by a treatment (default: the first). Raises as `uplift_stage.uplift` does."""
        from pozytywka_spark.experiments.uplift.stage import uplift

        here = self.pozytywka
        return uplift(here.settings, here.lake, self.name, treatment)

    def end(self, at: Month | None = None) -> Definition:
        """End it at a cut-off, before which purchases count; its slot is free then."""
        from pozytywka_spark.experiments.assignment.assign import end
        from pozytywka_spark.experiments.assignment.cut_offs import next_cut_off

        here = self.pozytywka
        cut_off = next_cut_off(here.lake, here.settings.data) if at is None else month_of(at)
        return end(here.lake, self.name, cut_off)

"""The report of an experiment as one self-contained page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pozytywka_spark.config import Settings
from pozytywka_spark.experiments.analysis import text
from pozytywka_spark.experiments.analysis.plots import cumulative_plot, forest_plot, share_plot
from pozytywka_spark.experiments.analysis.reading import CUMULATIVE, MONTH, SEGMENT
from pozytywka_spark.reports.page import Page

if TYPE_CHECKING:
    from pozytywka_spark.experiments.analysis.read_experiment import Reading


def render(reading: Reading, settings: Settings) -> str:
    """The page's HTML; the same reading gives the same bytes."""
    latest = reading.experiment.latest
    subtitle = f"purchases from {reading.experiment.started} to the end of {reading.months[-1]:%Y-%m}"
    page = Page(f"Experiment {latest.name}", subtitle=subtitle)
    _summary(page, reading)
    _cumulative(page, reading)
    _months(page, reading)
    _segments(page, reading, settings)
    _health(page, reading)
    _method(page, reading, settings)
    return page.render()


def _summary(page: Page, reading: Reading) -> None:
    last = [row for row in reading.of(CUMULATIVE) if row["month"] == reading.months[-1]]
    section = page.section("What it says", anchor="summary")
    tiles = {f"premium, {row['group']}": text.percent(row["share"]) for row in last}
    section.tiles(tiles | {"premium, control": text.percent(last[0]["control_share"])})
    section.text(*(text.verdict(row) for row in last), *reading.notes)


def _cumulative(page: Page, reading: Reading) -> None:
    rows, treatments = reading.of(CUMULATIVE), reading.experiment.latest.allocation.treatments
    section = page.section("From the start", anchor="cumulative")
    section.figure(
        cumulative_plot(rows, treatments),
        alt="Difference of premium share by month with its always-valid band",
        caption="The band holds at all looks at once; the bars only for someone who looks once.",
    )
    section.figure(share_plot(rows, treatments), alt="Premium share of each group, from the start")
    section.table(text.month_table(rows))
    section.table(text.difference_table(rows), caption="Difference, in points")
    section.table(text.lift_table(rows), caption="Relative lift")
    section.table(text.cuped_table(rows), caption="With CUPED (for one look)")


def _months(page: Page, reading: Reading) -> None:
    rows, treatments = reading.of(MONTH), reading.experiment.latest.allocation.treatments
    section = page.section("Month by month", anchor="months")
    section.text(
        "Buyers among the users who were still free when the month began. After the first month those differ "
        "between groups by who has bought already: all that the treatment did is under 'From the start'."
    )
    section.figure(share_plot(rows, treatments), alt="Share of free users who bought, by month")
    section.table(text.month_table(rows))
    section.table(text.difference_table(rows), caption="Difference, in points")


def _segments(page: Page, reading: Reading, settings: Settings) -> None:
    rows = reading.of(SEGMENT)
    section = page.section("Segments", anchor="segments")
    section.text(
        "From the start to the last month. The p-values are corrected for the number of lines "
        f"({settings.experiments.multiplicity}); an interval that leaves 0 out is not enough."
    )
    if rows:
        section.figure(forest_plot(rows), alt="Difference of premium share by segment")
    section.table(text.segment_table(rows), empty="No segment has enough users in each group.")


def _health(page: Page, reading: Reading) -> None:
    section = page.section("Is it a fair comparison?", anchor="health")
    section.table(reading.ratios, caption="Sample ratio")
    section.table(reading.balance, caption="Before entry", empty="The time before entry is not known.")
    section.table(
        reading.contamination,
        caption="Users who are not what their group says",
        empty="No user is known to have met another treatment than that of their group.",
    )


def _method(page: Page, reading: Reading, settings: Settings) -> None:
    stored = reading.experiment.latest.settings
    page.section("How it was read", anchor="method").text(
        "By intention to treat: users count for the group they first got, whatever they met later.",
        "Difference: Newcombe's hybrid score interval. Lift: log interval. p: score test, "
        f"corrected for the number of treatments ({settings.experiments.multiplicity}).",
        f"Every look: Robbins' normal mixture on the log ratio of free shares, level {stored['alpha']} over "
        f"all looks and treatments, tightest near a premium share of {stored['expected_share']}.",
        f"CUPED: {', '.join(settings.experiments.cuped_measures)} of the {settings.experiments.pre_months} "
        "months before entry and tenure, regression pooled over groups, never wider than without.",
        f"Reading {reading.reading_id}, revision {reading.experiment.latest.revision}.",
    )

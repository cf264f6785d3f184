"""The page of moderation."""

from __future__ import annotations

from datetime import date

from pozytywka_spark.moderation.report import LAST_STEP, ModerationReport
from pozytywka_spark.months import as_moment
from pozytywka_spark.reports.charts import Bar, Chart, Line, day_ticks
from pozytywka_spark.reports.page import Page

PAGE = "moderation.html"
_EPOCH = date(1970, 1, 1).toordinal()
_COLOURS = ("#8fb3d9", "#2563a8", "#d9a441", "#c2571a", "#b42318")  # of steps, the last for all beyond


def render(report: ModerationReport) -> str:
    """The HTML of the state at a time."""
    page = Page("Moderation", f"as of {as_moment(report.at):%Y-%m-%d %H:%M} UTC")
    queue = page.section("The queue", anchor="queue")
    queue.tiles(
        {
            "open cases": sum(row["open"] for row in report.queue),
            "fouls that stand": sum(row["standing"] for row in report.fouls),
            "blocks that run": _running_now(report),
            "appeals that wait": sum(row["waiting"] for row in report.appeals),
        }
    )
    queue.table(report.queue, caption="Open cases by age", empty="No case is open.")
    page.section("Verdicts", anchor="verdicts").table(
        report.answers, caption="By reviewer and group", empty="Nobody has judged a case."
    )
    _fouls(page, report)
    page.section("Precision", anchor="precision").text(
        "Of what was released as bad, the share of fouls that stand: neither taken back by an appeal nor by "
        "second looks. People don't look at all that models release, so this is an upper bound for both."
    ).table(report.precision, empty="Nothing was released.")
    page.section("Appeals", anchor="appeals").table(report.appeals, empty="Nobody has appealed.")
    _popularity(page, report)
    return page.render()


def _popularity(page: Page, report: ModerationReport) -> None:
    month = report.popularity.month
    page.section("Popularity", anchor="popularity").text(
        "Plays on days released as bad count for no track's popularity; appeals give them back."
    ).table(
        report.popularity.tracks,
        caption=f"Most discounted in {month:%Y-%m}" if month else "",
        empty="No month has both discounted plays and track_plays, which the job features writes.",
    )


def _running_now(report: ModerationReport) -> int:
    today = report.at // 86_400_000_000
    by_step = {step: count for day, step, count in report.running if day <= today}
    return sum(by_step.values())


def _fouls(page: Page, report: ModerationReport) -> None:
    section = page.section("Fouls and blocks", anchor="fouls")
    section.table(report.fouls, caption="By step", empty="No foul was released.")
    if report.fouls_by_step:
        section.charts([_by_month(report)], alt="Stepped fouls by month of release and step")
    if report.running:
        section.charts([_over_time(report)], alt="Blocks that run, by step, over time")


def _by_month(report: ModerationReport) -> Chart:
    bars, heights = [], dict[str, int]()
    for month, step, count in report.fouls_by_step:
        begin = date.fromisoformat(f"{month}-01").toordinal()
        low = heights.get(month, 0)
        bars.append(Bar(begin + 3, begin + 27, low, low + count, _colour(step)))
        heights[month] = low + count
    months = [date.fromisoformat(f"{month}-01") for month in sorted(heights)]
    steps = {step for _, step, _ in report.fouls_by_step}
    return Chart(
        "month of release",
        "stepped fouls that stand",
        bars=tuple(bars),
        legend=_legend(steps),
        x_ticks=day_ticks(months[0], months[-1]),
    )


def _over_time(report: ModerationReport) -> Chart:
    steps = sorted({step for _, step, _ in report.running})
    lines = []
    for step in steps:
        points = [(_EPOCH + day, count) for day, each, count in report.running if each == step]
        lines.append(Line(tuple(points), _colour(step), steps=True))
    days = [date.fromordinal(_EPOCH + day) for day, _, _ in report.running]
    return Chart(
        "day",
        "blocks that run",
        lines=tuple(lines),
        legend=_legend(set(steps)),
        x_ticks=day_ticks(min(days), max(days)),
    )


def _legend(steps: set[int]) -> tuple[tuple[str, str], ...]:
    names = {min(step, LAST_STEP) for step in steps}
    return tuple((f"step {step}{'+' if step == LAST_STEP else ''}", _colour(step)) for step in sorted(names))


def _colour(step: int) -> str:
    return _COLOURS[min(step, LAST_STEP) - 1]

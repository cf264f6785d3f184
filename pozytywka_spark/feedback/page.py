"""The page of what people write: the net promoter score, what detractors write, how sure the model is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.feedback.bins import Cut, chance_at, precision_bounds
from pozytywka_spark.feedback.model import Model
from pozytywka_spark.feedback.nps import Nps, nps_of
from pozytywka_spark.reports.charts import Band, Chart, Line, Ticks
from pozytywka_spark.reports.page import Page

PAGE = "feedback.html"
FEWEST_ANSWERS = 10  # of a city or a topic: fewer may tell of a person, and say nothing
_MOST = 30  # lines of a table
_BLUE, _GREY = "#2563a8", "#8a93a3"
_NO_PURCHASES = "It is known once features are built."
CUTS = {"route": "a queue", "spam": "spam", "ham": "no spam"}


@dataclass(frozen=True)
class Shown:
    """`counts` by dimension (`report_work.summed`), `examples` (`queue`, `language`, `text`, masked), the
    champion, and the languages expected.
    """

    counts: Mapping[str, pl.DataFrame]
    examples: pl.DataFrame
    model: Model
    languages: Sequence[str]


def render(shown: Shown) -> str:
    """The HTML text; the same content gives the same bytes."""
    months = shown.counts["month"]
    span = f"{months.get_column('value')[0]} to {months.get_column('value')[-1]}"
    texts = months.get_column("texts").sum()
    page = Page("What people write", f"{texts:,} texts, {span}, model {shown.model.model_id}")
    _overview(page, months)
    _by_month(page, months)
    _by_city(page, shown.counts["city"])
    _purchase(page, shown.counts)
    _subjects(page, shown.counts)
    _detractors(page, shown.counts, shown.examples)
    _languages(page, shown.counts)
    _model(page, shown.model)
    return page.render()


def _overview(page: Page, months: pl.DataFrame) -> None:
    sums = {name: int(months.get_column(name).sum()) for name in months.columns if name != "value"}
    nps = nps_of(sums["promoters"], sums["passives"], sums["detractors"])
    section = page.section("At a glance")
    section.tiles(
        {
            "texts": sums["texts"],
            "answers with a score": nps.answers if nps else 0,
            "NPS": f"{nps.score:+.0f}" if nps else "–",
            "routed to a queue": _percent(sums["routed"], sums["texts"] - sums["spam"]),
            "spam": _percent(sums["spam"], sums["texts"]),
        }
    )
    section.text(
        "The net promoter score (NPS) is the percentage of answers of 9 and 10 less that of answers up to 6. "
        "Intervals are of 95%; they count answers, not people. Scores without words are answers, but no "
        "texts, of no subject and no language. Spam counts nowhere else."
    )


def _by_month(page: Page, months: pl.DataFrame) -> None:
    section = page.section("By month")
    rows = [(row, nps) for row in months.to_dicts() if (nps := _nps(row)) is not None]
    if not rows:
        section.text("No answer has a score.")
        return
    points = [(float(_day(str(row["value"])).toordinal()), nps) for row, nps in rows]
    section.charts(
        [
            _nps_chart(
                points,
                "",
                tuple((x, str(row["value"])) for (x, _), (row, _) in zip(points, rows, strict=True)),
            )
        ],
        alt="NPS by month with its interval",
        caption="NPS by month, with its interval of 95%",
    )
    section.table([{"month": row["value"], **_cells(row, nps)} for row, nps in rows])


def _by_city(page: Page, cities: pl.DataFrame) -> None:
    section = page.section("By city")
    section.table(_rows(cities, "city"), empty="No city has answers enough, or the lake has no users.")
    section.text(f"Cities with fewer than {FEWEST_ANSWERS} answers aren't shown.")


def _purchase(page: Page, counts: Mapping[str, pl.DataFrame]) -> None:
    section = page.section("Before and after the purchase")
    rows = counts["purchase"]
    if not rows.height:
        section.text(f"Nothing is known of purchases. {_NO_PURCHASES}")
        return
    names = {"never": "nothing bought so far", "before": "before the purchase", "after": "after it"}
    named = rows.with_columns(pl.col("value").replace(names))
    section.table(_rows(named, "when", fewest=1))
    near = counts["months from purchase"].with_columns(month=pl.col("value").cast(pl.Int64)).sort("month")
    points = [(float(row["month"]), nps) for row in near.to_dicts() if (nps := _nps(row)) is not None]
    if len(points) > 1:
        ticks = tuple((x, f"{x:+.0f}") for x, _ in points)
        section.charts(
            [_nps_chart(points, "months from the purchase", ticks)],
            alt="NPS by months from the purchase",
            caption="Buyers only, by months of 30 days from the purchase; 0: the first after it. Who writes "
            "early isn't who writes late, so that this is no effect of premium.",
        )


def _subjects(page: Page, counts: Mapping[str, pl.DataFrame]) -> None:
    section = page.section("By subject")
    section.text("The queue is the likeliest one, whether a text was routed there or not.")
    section.table(_rows(counts["queue"], "queue", fewest=1))
    section.text(
        "Topics are words that stand together within a queue and a language, of routed texts; named by their "
        "commonest words."
    )
    section.table(_rows(counts["topic"], "topic"), caption=f"The {_MOST} commonest topics", empty="")


def _detractors(page: Page, counts: Mapping[str, pl.DataFrame], examples: pl.DataFrame) -> None:
    section = page.section("What detractors write about")
    for name in ("queue", "topic"):
        rows = counts[name]
        down, up = (int(rows.get_column(side).sum()) for side in ("detractors", "promoters"))
        table = [
            {
                name: row["value"],
                "detractors": row["detractors"],
                "share of theirs": _percent(row["detractors"], down),
                "share of promoters'": _percent(row["promoters"], up),
            }
            for row in rows.sort("detractors", "value", descending=[True, False]).to_dicts()
            if row["detractors"] >= (FEWEST_ANSWERS if name == "topic" else 1)
        ]
        section.table(table[:_MOST], empty="")
    section.table(
        examples.to_dicts(),
        caption="Examples, as they are stored: what names a person is masked",
        empty="No text of a detractor was routed.",
    )


def _languages(page: Page, counts: Mapping[str, pl.DataFrame]) -> None:
    section = page.section("Languages and channels")
    section.table(_rows(counts["language"], "language", fewest=1))
    section.table(_rows(counts["channel"], "channel", fewest=1))


def _model(page: Page, model: Model) -> None:
    section = page.section("How sure the model is")
    tested = model.about.get("tested", {})
    section.table(
        [
            {
                "task": task,
                "classes": ", ".join(one.classes),
                "test texts": int(tested[task]["texts"]) if task in tested else 0,
                "right": _share(tested.get(task, {}).get("accuracy")),
                "AUC": tested.get(task, {}).get("auc"),
            }
            for task, one in model.learnt.items()
        ],
        caption="On the test months, which it didn't learn from",
    )
    section.table(
        [cut_row(name, cut) for name, cut in model.cuts().items()],
        caption="From which chance on a text is called something, by the months after those it learnt from; "
        "the bounds of 95% are what so many texts allow to say (Clopper and Pearson)",
    )
    silent = model.about.get("silent", {})
    section.bullets([f"{task}: nothing is guessed: {why}" for task, why in silent.items()])


def cut_row(name: str, cut: Cut | None) -> dict[str, Any]:
    """A line of how sure is sure enough."""
    row: dict[str, Any] = {"a text is called": CUTS[name], "from": "never", "later texts": 0}
    if cut is None:
        return {**row, "right": "", "bounds": ""}
    low, high = precision_bounds(cut.right, cut.texts)
    row |= {"from": f"{chance_at(cut.least):.3f}", "later texts": cut.texts}
    return {**row, "right": f"{cut.precision:.2%}", "bounds": f"{low:.2%} to {high:.2%}"}


def _rows(rows: pl.DataFrame, name: str, fewest: int = FEWEST_ANSWERS) -> list[dict[str, Any]]:
    answered = [(row, nps) for row in rows.to_dicts() if (nps := _nps(row)) is not None]
    told = [(row, nps) for row, nps in answered if nps.answers >= fewest]
    told.sort(key=lambda one: (-one[1].answers, str(one[0]["value"])))
    return [{name: row["value"], **_cells(row, nps)} for row, nps in told[:_MOST]]


def _cells(row: Mapping[str, Any], nps: Nps) -> dict[str, Any]:
    return {
        "texts": row["texts"],
        "answers": nps.answers,
        "NPS": f"{nps.score:+.1f}",
        "interval": f"{nps.low:+.1f} to {nps.high:+.1f}",
        "routed": _percent(row["routed"], row["texts"] - row["spam"]),
    }


def _nps(row: Mapping[str, Any]) -> Nps | None:
    return nps_of(row["promoters"], row["passives"], row["detractors"])


def _nps_chart(points: Sequence[tuple[float, Nps]], x_label: str, ticks: Ticks) -> Chart:
    band = Band(tuple((x, nps.low, nps.high) for x, nps in points), _BLUE)
    line = Line(tuple((x, nps.score) for x, nps in points), _BLUE, dots=True)
    zero = Line(((points[0][0], 0.0), (points[-1][0], 0.0)), _GREY)
    apart = -(-len(ticks) // 12)
    return Chart(x_label, "NPS", bands=(band,), lines=(zero, line), x_ticks=ticks[::apart])


def _day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole > 0 else ""


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"

"""The page of fraud: each rule by month, overlap, precision by verdicts; signals; rings as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.fraud.declared.catalogue import SIGNALS
from pozytywka_spark.fraud.declared.declaration import Signal
from pozytywka_spark.fraud.inputs import Scanned
from pozytywka_spark.fraud.ring_picture import ring_picture
from pozytywka_spark.fraud.rules.grammar import Rule
from pozytywka_spark.reports.charts import Bar, Chart, Line, day_ticks
from pozytywka_spark.reports.page import Page

_GREY, _RED = "#c9ced8", "#b3402a"
_COLOURS = ("#2563a8", "#b3402a", "#3d8b5f", "#8a5bb0", "#b58a1b", "#4b9aa5", "#7a6a5d", "#c05a8e")
_BINS, _OUTERMOST = 24, 0.005


@dataclass(frozen=True)
class Shown:
    """What the page shows: months scanned, rules in force, sums by month and rule, pairs of rules that hold
    together, a sample of signals with `flagged`, rows of rings of one month.
    """

    scanned: Mapping[date, Scanned]
    rules: Sequence[Rule]
    by_rule: Sequence[Mapping[str, Any]]
    pairs: Mapping[tuple[str, str], int]
    sample: pl.DataFrame
    rings: pl.DataFrame


def render(shown: Shown) -> str:
    """The HTML text."""
    months = list(shown.scanned)
    span = f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}" if months else "nothing scanned"
    page = Page("Fraud", subtitle=f"{span}: signals by account and day, rules, rings, cases")
    _overview(page, shown)
    _rules(page, shown)
    _overlap(page, shown)
    _signals(page, shown)
    _rings(page, shown)
    return page.render()


def _overview(page: Page, shown: Shown) -> None:
    totals = {
        "account-days": sum(each.signals for each in shown.scanned.values()),
        "cases": sum(each.cases for each in shown.scanned.values()),
        "rings": sum(each.rings for each in shown.scanned.values()),
        "rules": len(shown.rules),
    }
    section = page.section("Cases by month").tiles(totals)
    groups = sorted({str(line["group"]) for line in shown.by_rule})
    lines, legend = [], []
    for place, group in enumerate(groups):
        colour = _COLOURS[place % len(_COLOURS)]
        # a case with several rules of its group counts with its first one only by the largest of them: what a
        # line shows is the month's largest rule of the group
        heights = dict.fromkeys(shown.scanned, 0)
        for line in shown.by_rule:
            if line["group"] == group:
                month = date.fromisoformat(line["month"])
                heights[month] = max(heights.get(month, 0), int(line["cases"]))
        points = tuple((float(month.toordinal()), float(heights[month])) for month in sorted(heights))
        lines.append(Line(points, colour, dots=True))
        legend.append((group, colour))
    if len(shown.scanned) > 1 and lines:
        first, last = min(shown.scanned), max(shown.scanned)
        chart = Chart(
            "month", "cases", lines=tuple(lines), legend=tuple(legend), x_ticks=day_ticks(first, last)
        )
        section.charts(
            [chart], alt="Cases of each group by month", caption="Of each group: the rule that finds most."
        )


def _rules(page: Page, shown: Shown) -> None:
    section = page.section("Rules")
    section.text(
        "Precision: bad by bad and ok among the cases that people have answered; of one with several answers "
        "the more frequent, the first on a tie. Harm: plays of the day, or the ring's tracks, at most."
    )
    meanings = {rule.name: rule.meaning for rule in shown.rules}
    conditions = {rule.name: " and ".join(map(str, rule.conditions)) for rule in shown.rules}
    rows = []
    names = sorted(
        {(str(line["group"]), str(line["rule"])) for line in shown.by_rule}
        | {(r.group, r.name) for r in shown.rules}
    )
    months = max(1, len(shown.scanned))
    for group, name in names:
        mine = [line for line in shown.by_rule if (line["group"], line["rule"]) == (group, name)]
        total = {key: sum(line[key] for line in mine) for key in ("cases", "harm", "bad", "ok")}
        answered = total["bad"] + total["ok"]
        rows.append(
            {
                "group": group,
                "rule": name,
                "meaning": meanings.get(name, ""),
                "conditions": conditions.get(name, ""),
                "cases": total["cases"],
                "a month": round(total["cases"] / months, 1),
                "harm (plays)": int(total["harm"]),
                "answered": answered,
                "precision": round(total["bad"] / answered, 3) if answered else None,
            }
        )
    section.table(rows)


def _overlap(page: Page, shown: Shown) -> None:
    rows = [
        {"rule": one, "and": other, "account-days of both": both}
        for (one, other), both in sorted(shown.pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    page.section("Overlap").table(rows, empty="No account's day is flagged by two rules.")


def _signals(page: Page, shown: Shown) -> None:
    section = page.section("Signals")
    if shown.sample.height:
        flagged = shown.sample.get_column("flagged")
        section.text(
            f"Of {shown.sample.height:,} account-days drawn by hash: grey those that no rule flags, red line "
            f"the {int(flagged.sum()):,} that one does, each as shares of their own."
        )
        charts = [_histogram(shown.sample, signal) for signal in SIGNALS]
        section.charts_beside([chart for chart in charts if chart is not None])
    section.table(
        [
            {
                "signal": each.name,
                "meaning": each.meaning,
                "unit": each.unit,
                "null": each.null,
                "value": each.arithmetic,
            }
            for each in SIGNALS
        ]
    )


def _histogram(sample: pl.DataFrame, signal: Signal) -> tuple[Chart, str, str] | None:
    rows = sample.select(signal.name, "flagged").drop_nulls(signal.name)
    values = rows.get_column(signal.name).to_numpy()
    if np.unique(values).size < 2:
        return None
    low, high = np.quantile(values, [_OUTERMOST, 1 - _OUTERMOST])
    if low == high:
        low, high = values.min(), values.max()
    edges = np.linspace(low, high, _BINS + 1)
    clipped = np.clip(values, low, high)
    flagged = rows.get_column("flagged").to_numpy()
    plain = np.histogram(clipped[~flagged], edges)[0] / max(1, int((~flagged).sum()))
    red = np.histogram(clipped[flagged], edges)[0] / max(1, int(flagged.sum()))
    bars = tuple(
        Bar(float(left), float(right), 0, float(share), _GREY)
        for left, right, share in zip(edges[:-1], edges[1:], plain, strict=True)
    )
    steps = tuple(zip(map(float, edges), map(float, [*red, red[-1]]), strict=True))
    chart = Chart(signal.unit, "share", bars=bars, lines=(Line(steps, _RED, steps=True),))
    return chart, f"Histogram of {signal.name}", f"{signal.name}: {signal.meaning}"


def _rings(page: Page, shown: Shown) -> None:
    section = page.section("Rings")
    if not shown.rings.height:
        section.text("No month scanned has a ring.")
        return
    month = shown.rings.get_column("month")[0]
    section.text(
        f"Rings of {month:%Y-%m}: accounts on the left, the tracks they share on the right, the "
        "darker an account's dot the farther its plays exceed what popularity explains."
    )
    for (ring,), members in shown.rings.sort("ring", "user_id").group_by("ring", maintain_order=True):
        svg, words = ring_picture(members)
        section.picture(svg, alt=f"Ring {ring}: {words}", caption=f"Ring {ring}: {words}")

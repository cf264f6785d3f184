"""Qini curves with intervals and a verdict: for the terminal, as a page, in MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.experiments.analysis.plots import qini_plot
from pozytywka_spark.experiments.uplift.qini import Curve
from pozytywka_spark.reports.files import write_page
from pozytywka_spark.reports.notebook import card
from pozytywka_spark.reports.page import Page
from pozytywka_spark.tracking import runs
from pozytywka_spark.tracking.notes import KIND, describe_run, page_of, table
from pozytywka_spark.tracking.store import connect

UPLIFT_TAG = "pozytywka.uplift"


@dataclass(frozen=True)
class UpliftReport:
    """Rows of the two curves at each twentieth, the areas with intervals, and what to make of them."""

    experiment: str
    treatment: str
    users: int
    curves: Mapping[str, Sequence[Mapping[str, float]]]
    areas: Sequence[Mapping[str, Any]]
    verdict: str
    path: str
    run_id: str
    unchanged: bool

    def _repr_html_(self) -> str:
        title = f"experiment {self.experiment}: whom {self.treatment} persuaded, of {self.users:,} users"
        return card(title, {"areas": self.areas}, [self.verdict], self.path)


def make_report(
    settings: Settings,
    name: str,
    group: str,
    users: int,
    curves: Mapping[str, Curve],
    uplift_id: str,
    *,
    unchanged: bool,
    fitted_share: float = 1.0,
) -> UpliftReport:
    """Curves as rows, areas with intervals, verdict, page and MLflow run.

    `fitted_share`: the share of the users whom the models were fitted on.
    """
    by_rank = {
        by: [{"share": float(s), "gain": float(g)} for s, g in zip(curve.share, curve.gain[0], strict=True)]
        for by, curve in curves.items()
    }
    compared = dict(curves)
    if "score" in curves:
        mine, other = curves["uplift"], curves["score"]
        compared["uplift - score"] = Curve(mine.share, mine.gain - other.gain, mine.area - other.area)
    areas = [
        {"ranking": by, "area": 100 * float(curve.area[0]), "low": 100 * curve.interval()[0],
         "high": 100 * curve.interval()[1]}
        for by, curve in compared.items()
    ]  # fmt: skip
    verdict = _verdict(areas)
    if fitted_share < 1:
        verdict += f"; models saw {100 * fitted_share:.1f}% of the users, as many as fit into memory"
    page = _page(name, group, users, by_rank, areas, verdict)
    path = str(write_page(settings, f"experiment-{name}-uplift.html", page))
    run_id = _log(settings, name, group, areas, page, uplift_id)
    return UpliftReport(name, group, users, by_rank, areas, verdict, path, run_id, unchanged)


def _verdict(areas: Sequence[Mapping[str, Any]]) -> str:
    mine, gap = areas[0], areas[-1]
    if mine["low"] <= 0 <= mine["high"]:
        return "who is persuaded can't be told from chance: treat all or nobody, or gather more data"
    if mine["high"] < 0:
        return "the ranking is worse than chance: don't target by it"
    if len(areas) == 1:
        return "ranking by uplift finds persuadable users; no score of theirs is known to compare it with"
    if gap["low"] > 0:
        return "ranking by uplift finds persuadable users, better than ranking by score"
    return "ranking by uplift finds persuadable users, but not surely better than ranking by score"


def _page(
    name: str,
    group: str,
    users: int,
    by_rank: Mapping[str, Sequence[Mapping[str, float]]],
    areas: Sequence[Mapping[str, Any]],
    verdict: str,
) -> str:
    page = Page(f"Experiment {name}: who was persuaded", subtitle=f"{group} against control, {users:,} users")
    section = page.section("Qini curve").text(verdict)
    section.figure(qini_plot(by_rank), alt="Qini curves by uplift and by score")
    section.table(
        areas, caption="Area between curve and chance, extra buyers per 100 users, 95% by bootstrap"
    )
    page.section("How it was made").text(
        "Each user is estimated by models fitted on the other half of users. Users are ranked within their "
        "half, best first, and cut into twentieths; the curve is exact at their edges.",
        "A user's own uplift is never seen, only groups': trust the curve, not one line of the table.",
    )
    return page.render()


def _log(
    settings: Settings, name: str, group: str, areas: Sequence[Mapping[str, Any]], page: str, uplift_id: str
) -> str:
    tracking = connect(settings)
    there = runs.tagged(tracking, UPLIFT_TAG, uplift_id)
    if there:
        return there[0]
    tags = {KIND: "uplift", UPLIFT_TAG: uplift_id, "pozytywka.experiment": name}
    run_name = f"uplift {name} · {group}"
    with runs.run(tracking, run_name, tags=tags) as run_id:
        parameters = settings.experiments.uplift.model_dump(mode="json")
        runs.log(tracking, run_id, params={"experiment": name, "treatment": group, **parameters})
        metrics = {
            f"qini.{row['ranking'].replace(' - ', '_minus_')}{end}": float(row[key])
            for row in areas
            for key, end in (("area", ""), ("low", "_low"), ("high", "_high"))
        }
        runs.log(tracking, run_id, metrics=metrics)
        file = f"experiment-{name}-uplift.html"
        runs.log_text(tracking, run_id, page, file)
        link = page_of(tracking.experiment_id, run_id, file, "The page")
        text = f"Whom `{group}` of experiment `{name}` moves: area between Qini curve and chance"
        shown = [{"ranking": row["ranking"], "area (95%)": _area(row)} for row in areas]
        describe_run(tracking, run_id, run_name, tags, f"{text}\n\n{table(shown)}\n\n{link}")
    return run_id


def _area(row: Mapping[str, Any]) -> str:
    return f"{row['area']:.3f} ({row['low']:.3f} to {row['high']:.3f})"

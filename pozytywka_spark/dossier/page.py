"""The dossier of a training: one self-contained page for those who must decide, from logged facts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark.dossier import model_sections, plots, reason_sections
from pozytywka_spark.evaluation.trees_or_logistic import CHOSEN_ON_TEST, verdict_text
from pozytywka_spark.models.names import IN_WORDS, LOGISTIC, XGBOOST
from pozytywka_spark.reports.page import Page

Facts = Mapping[str, Any]


def dossier(facts: Facts, outcome: Facts | None) -> str:
    """The page. `facts` as the training stage logs them; `outcome` of the gate, None before it decides."""
    data = facts["data"]
    page = Page(
        "Who will buy premium: dossier of a training",
        f"{data['rows']:,} months of users without premium, {data['positives']:,} of them followed by a "
        f"purchase ({target_in_words(data)}); run {facts['run']}",
    )
    _summary(page, facts, outcome)
    _gate(page, facts, outcome)
    _data(page, facts)
    kind = kind_of(facts)
    model_sections.models(page, facts["models"], kind)
    best = facts["models"][kind]["metrics"]
    model_sections.decisions(page, facts["decisions"], facts["made"]["policy"], best)
    model_sections.slices(page, facts["slices"], facts["made"]["least"])
    if kind == XGBOOST:
        reason_sections.strongest(page, facts["explained"])
        reason_sections.dependence(page, facts["explained"])
        reason_sections.stability(page, facts["stability"])
    else:
        reason_sections.coefficients(page, facts["explained"])
    model_sections.tuning(page, facts["made"]["tuning"])
    _made(page, facts)
    return page.render()


def target_in_words(data: Facts) -> str:
    """What counts as a purchase."""
    if data["label"] == "buys_ever":
        return "at any time until the data ends"
    return f"within {data['horizon_days']} days after the month"


def conditions(gate: Facts) -> list[str]:
    """When a model is promoted, in words."""
    return [
        f"its {gate['metric']} on the same test rows is better in at least {gate['confidence']:.1%} of "
        "bootstrap replicates paired by user",
        f"its calibration error stays within {gate['max_calibration_error']} beyond what chance alone gives",
        f"no slice of users loses more than {gate['max_slice_drop']} ROC AUC",
        "every guard passed when it was trained",
    ]


def _summary(page: Page, facts: Facts, outcome: Facts | None) -> None:
    kind = kind_of(facts)
    other = LOGISTIC if kind == XGBOOST else XGBOOST
    best, others = facts["models"][kind]["metrics"], facts["models"][other]["metrics"]
    section = page.section("In short")
    section.tiles(
        {
            "ROC AUC on months never seen": f"{best['roc_auc']:.3f}",
            _WHOSE[other]: f"{others['roc_auc']:.3f}",
            "of all buyers are in the best tenth": f"{best['recall_at_10pct']:.0%}",
            "times better than chance there": f"{best['lift_at_10pct']:.1f}",
            "predicted and observed differ by, on average": f"{best['calibration_error']:.4f}",
        }
    )
    section.text(outcome["verdict"] if outcome else "The gate has not decided on this model yet.")
    section.text(*_about_kind(facts))
    section.text(_in_words(facts), *facts["remarks"])


_WHOSE = {XGBOOST: "boosted trees'", LOGISTIC: "logistic regression's"}


def kind_of(facts: Facts) -> str:
    """The kind of the registered model; runs logged before there were two have trees."""
    return str(facts["made"].get("kind", XGBOOST))


def _about_kind(facts: Facts) -> list[str]:
    """Whether the trees beat logistic regression, and what that did to the model; nothing in older runs."""
    if "verdict" not in facts:
        return []
    prefer = bool(facts["made"]["training"]["prefer_simple"])
    verdict = verdict_text(facts["verdict"], prefer_simple=prefer)
    sentences = [
        f"{verdict[0].upper()}{verdict[1:]}.",
        f"The registered model is {IN_WORDS[kind_of(facts)]}.",
    ]
    return [*sentences, f"{CHOSEN_ON_TEST}."] if prefer else sentences


def _in_words(facts: Facts) -> str:
    test = next(side for side in facts["data"]["sides"] if side["side"] == "test")
    metrics = facts["models"][kind_of(facts)]["metrics"]
    return (
        f"In the test months ({test['months']}), which no model has seen, {test['positives']:,} of "
        f"{test['rows']:,} user-months ended with a purchase ({metrics['base_rate']:.1%}). Among the tenth "
        f"with the highest scores it was {metrics['precision_at_10pct']:.1%}."
    )


def _gate(page: Page, facts: Facts, outcome: Facts | None) -> None:
    section = page.section("The gate's decision")
    if outcome:
        section.text(outcome["verdict"])
        section.bullets(outcome["reasons"])
        section.table(outcome["table"], caption="Both on the same test rows", empty="")
        if outcome["changes"]:
            section.text("What would change the decision:")
            section.bullets(outcome["changes"])
    section.text("The rule, for this and every later model: it takes over only if")
    section.bullets(conditions((outcome or {}).get("gate") or facts["made"]["gate"]))
    section.text("One command gives the champion before its place back: scripts/submit.sh gate --rollback.")


def _data(page: Page, facts: Facts) -> None:
    data = facts["data"]
    section = page.section("Data and split")
    section.text(
        "A row is a user and a calendar month in which they were active and had no premium yet; the target "
        f"says whether they bought {target_in_words(data)}. Features know nothing after the month's end. "
        "Months are split in the order of time, and a month whose target was not yet known when the next "
        f"side begins is purged ({', '.join(data['purged']) or 'none here'})."
    )
    section.table(
        [
            {**side, "share": f"{side['positives'] / side['rows']:.2%}" if side["rows"] else "–"}
            for side in data["sides"]
        ]
    )
    months = sorted({month for sides in data["bars"].values() for part in sides.values() for month in part})
    section.charts(
        [plots.split_chart(data["bars"], months)],
        height=plots.height(len(data["bars"])),
        alt="Months of train, validation and test, and of the rolling folds",
        caption="A gap is purged. Folds serve tuning and the stability of reasons; none reaches the test.",
    )
    section.charts(
        plots.months_charts(data["months"]),
        alt="Share of buyers by month",
        caption="All mature months.",
        columns=2,
        height=240,
    )
    section.text("Guards, each of which would have stopped the training:")
    section.bullets([*_GUARDS, *facts["guards"]])


_GUARDS = (
    "maturity: every row's target was known when the data ended",
    "purge: no training target reaches into validation or test, no validation target into test",
    "rows: one row a user and month, none after the purchase, none lost between labels and features",
    "suspicion: no single feature tells the target almost alone (checked where features are built)",
)


def _made(page: Page, facts: Facts) -> None:
    made, data = facts["made"], facts["data"]
    section = page.section("How it was made")
    section.charts(
        [plots.loss_chart(made)],
        alt="Log loss by tree",
        caption="The trees: training stops where validation stops falling.",
    )
    calibration = made["calibration"]
    settings = {
        "platt": f"Platt's sigmoid, slope {calibration['slope']:.3f}, shift {calibration['intercept']:.3f}",
        "isotonic": f"isotonic, {calibration['knots']} knots",
        "none": "none",
    }[calibration["method"]]
    section.text(f"Calibration, fitted on validation: {settings}.", f"Workers: {made['planner']}.")
    section.table(_pairs(made["training"], "setting"), caption="Settings of the final fit")
    section.table(_pairs(data["versions"], "table", "Delta version"), caption="Inputs")
    origin = {
        "git commit": data["commit"] or "not a repository",
        "training code": data["code"][:16],
        "catalogue of features": data["catalogue"][:16],
        "inputs, settings and code": data["inputs"][:16],
        **data["packages"],
    }
    section.table(_pairs(origin, "what", "version"), caption="Code and libraries")
    section.text(f"Done again from these with: scripts/submit.sh reproduce {facts['run']}")


def _pairs(values: Mapping[str, Any], name: str, value: str = "value") -> Sequence[Mapping[str, Any]]:
    return [{name: key, value: _setting(entry)} for key, entry in values.items()]


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(f"{key}: {entry}" for key, entry in value.items())
    return "none" if value in (None, "") else str(value)

"""The dossier's sections on reasons: which features move the scores, how, and whether that holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pozytywka_spark.dossier import plots, plots_reasons
from pozytywka_spark.reports.page import Page

Facts = Mapping[str, Any]
TOP = 15


def strongest(page: Page, explained: Facts) -> None:
    """The strongest features and how they act on single users."""
    section = page.section("What moves the scores")
    rows = explained["strongest"]
    if not rows:
        section.text("The trees use no feature.")
        return
    section.text(
        f"Exact tree SHAP contributions (log-odds; they add up to the score) of {_seen(explained)}. They say "
        "what the model leans on, not what causes a purchase."
    )
    section.charts(
        [plots.importance_chart(rows)],
        alt="Strongest features by mean contribution",
        height=plots.height(min(15, len(rows))),
    )
    section.charts(
        [plots_reasons.swarm_chart(explained["swarm"])],
        height=plots.height(2 * len(explained["swarm"])),
        alt="Contributions of single users by feature",
        caption=f"A dot is one of {_dots(explained)} users drawn by a hash; red has much of the feature, "
        "blue little, grey is unknown.",
    )
    section.table(
        [
            {
                "feature": row["feature"],
                "meaning": row["meaning"],
                "ours to influence": row["actionable"],
                "score with more of it": row["direction"],
                "strength": f"{row['strength']:.4f}",
            }
            for row in rows[:TOP]
        ],
        caption=f"The {min(TOP, len(rows))} strongest of {len(rows)} features that the trees use",
    )


def coefficients(page: Page, explained: Facts) -> None:
    """Logistic regression's own account of itself, in the place of what is drawn of trees."""
    section = page.section("What moves the scores")
    rows = explained["strongest"]
    if not rows:
        section.text("The model uses no feature.")
        return
    section.text(
        "The model is logistic regression: a feature's contribution (log-odds) is its coefficient times the "
        "distance of its value from the mean in standard deviations, 0 if it is missing: a straight line. "
        f"Strength is the mean size of the contribution over {_seen(explained)}. Coefficients of features "
        "that go together share their effect; they say what the model leans on, not what causes a purchase. "
        "Whether they hold over time isn't shown, as the rolling folds are fitted with trees."
    )
    section.charts(
        [plots.importance_chart(rows)],
        alt="Strongest features by mean contribution",
        height=plots.height(min(15, len(rows))),
    )
    section.table(
        [
            {
                "feature": row["feature"],
                "meaning": row["meaning"],
                "ours to influence": row["actionable"],
                "coefficient": f"{row['coefficient']:+.4f}",
                "strength": f"{row['strength']:.4f}",
            }
            for row in rows[:TOP]
        ],
        caption=f"The {min(TOP, len(rows))} strongest of {len(rows)} features that have a coefficient: "
        "log-odds a standard deviation, before calibration",
    )


def dependence(page: Page, explained: Facts) -> None:
    """How the contribution of each of the top features depends on its value."""
    if not explained["dependence"]:
        return
    section = page.section("How the strongest features act")
    section.charts(
        plots_reasons.dependence_charts(explained["dependence"]),
        columns=3,
        height=220,
        alt="Contribution by value of the strongest features",
        caption=f"Mean contribution over twenty groups of equal size of {_seen(explained)}; the band holds "
        "the middle 80% of users, who differ by their other features. A circle is the missing value.",
    )


def stability(page: Page, holds: Facts) -> None:
    """Whether the same settings, trained on earlier months, give the same reasons."""
    section = page.section("Do the reasons hold over time?")
    folds = holds["folds"]
    if not folds:
        section.text("No rolling fold has enough buyers: the stability of the reasons can't be judged.")
        return
    section.text(
        "The same settings, trained on the months of each rolling fold and explained on its validation "
        "months. Rank correlation (Spearman) compares all features' strengths with the final model's: 1 is "
        "the same order, 0 no relation."
    )
    section.table(
        [
            {
                "fold": place,
                "trained on": " to ".join(fold["train"]),
                "validated on": " to ".join(fold["validation"]),
                "log loss": f"{fold['log_loss']:.4f}",
                "trees": fold["trees"],
                "rank correlation": "–"
                if fold["rank_correlation"] is None
                else f"{fold['rank_correlation']:.2f}",
            }
            for place, fold in enumerate(folds, 1)
        ]
    )
    if holds["features"]:
        section.charts(
            [plots_reasons.stability_chart(holds["features"])],
            height=plots.height(len(holds["features"])),
            alt="Share of strength by feature over the folds",
            caption="Share of all contributions: the dot is the final model, the line spans the folds.",
        )


def _seen(explained: Facts) -> str:
    rows, total = explained["rows"], explained["held"]
    if rows == total:
        return f"all {total:,} test rows"
    return f"{rows:,} of the {total:,} test rows, drawn by a hash of user and month"


def _dots(explained: Facts) -> int:
    return len(next(iter(explained["swarm"].values()), []))

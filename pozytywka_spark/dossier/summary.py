"""A training in a few lines of Markdown and in tags one can filter by, from its logged facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.dossier.page import conditions, target_in_words
from pozytywka_spark.evaluation.trees_or_logistic import verdict_text
from pozytywka_spark.models.names import LOGISTIC, MODELS, XGBOOST
from pozytywka_spark.names import TRAIN
from pozytywka_spark.tracking import notes
from pozytywka_spark.tracking.run_names import span, training_name

Facts = Mapping[str, Any]

PROMOTED, KEPT, REPLACED = "promoted", "kept", "replaced"
ROLLED_BACK, UNDECIDED = "rolled_back", "undecided"
HEADLINE = {
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "log_loss": "log loss",
    "brier": "Brier",
    "calibration_error": "calibration error",
    "lift_at_10pct": "lift in the top 10%",
}


@dataclass(frozen=True)
class Standing:
    """Where a version stands now: its number, the champion's (None without one), the gate's last word."""

    number: int
    champion: int | None
    outcome: Facts | None

    @property
    def decision(self) -> str:
        """One word for a tag: promoted, kept, replaced (was champion), rolled_back or undecided."""
        leads = self.champion == self.number
        if self.outcome is None:
            return PROMOTED if leads else UNDECIDED
        if self.outcome.get(ROLLED_BACK):
            return ROLLED_BACK
        if self.outcome["promoted"]:
            return PROMOTED if leads else REPLACED
        return KEPT

    @property
    def in_words(self) -> str:
        """The gate's verdict, before it who serves now if that changed since."""
        leads = self.champion == self.number
        if self.outcome is None:
            return "Promoted: it is the champion." if leads else "Undecided: the gate has not weighed it."
        verdict = str(self.outcome["verdict"])
        if self.outcome.get("champion") == self.champion:
            return verdict
        now = "it" if leads else f"version {self.champion}" if self.champion else "nobody"
        sentence = "Replaced" if self.decision == REPLACED else "Since then"
        return f"{sentence}: {now} is the champion now. {verdict}"


def facets(
    label: str, horizon_days: int, months: Mapping[str, Sequence[date | str]], *, tuned: bool, catalogue: str
) -> dict[str, str]:
    """Tags to filter by, with names that need no quotes in a search: `tags.label = 'buys_within_30_days'`."""
    return {
        "label": label,
        "horizon_days": str(horizon_days),
        **{f"{side}_months": span(months_there) for side, months_there in months.items()},
        "tuned": str(tuned).lower(),
        "catalogue": catalogue[:12],
    }


def tags_of(facts: Facts, standing: Standing) -> dict[str, str]:
    """All such tags of a run and of its version once the gate has had its say."""
    data = facts["data"]
    tuned = facts["made"]["tuning"] is not None
    tags = facets(
        data["label"], data["horizon_days"], _sides(facts), tuned=tuned, catalogue=data["catalogue"]
    )
    return tags | {"model": kind_of(facts), "guards": "passed", "decision": standing.decision}


def name_of(facts: Facts, number: int) -> str:
    """The run's name."""
    tuned = facts["made"]["tuning"] is not None
    return training_name(_sides(facts)[TRAIN], kind_of(facts), tuned=tuned, version=number)


def of_run(facts: Facts, standing: Standing, dossier: str) -> str:
    """The run's description. `dossier` is a link in Markdown."""
    data = facts["data"]
    parts = [
        f"**{standing.in_words}**",
        _reasons(standing),
        f"The three models on the same {_test(facts)}, which none has seen (95% intervals by user):",
        notes.table([_row(name, facts["models"][name]) for name in MODELS]),
        _verdict(facts),
        notes.table([{key: str(value) for key, value in side.items()} for side in data["sides"]]),
        f"Target `{data['label']}`: whether the user bought {target_in_words(data)}. "
        f"{data['features']} features, catalogue `{data['catalogue'][:12]}`, {_model(facts)}.",
        "\n".join(f"- {remark}" for remark in facts["remarks"]),
        f"{dossier} has the plots, the slices and the reasons. "
        f"Done again with `scripts/submit.sh reproduce {facts['run']}`.",
    ]
    return "\n\n".join(part for part in parts if part)


def of_version(facts: Facts, standing: Standing, dossier: str) -> str:
    """The version's description."""
    months = ", ".join(f"{side} {span(months_there)}" for side, months_there in _sides(facts).items())
    kind = kind_of(facts)
    parts = [
        standing.in_words,  # plain: the table of versions shows the beginning as it is written
        _reasons(standing),
        f"Predicts `{facts['data']['label']}` with {_model(facts)}; months: {months}.",
        notes.table([_row(kind, facts["models"][kind])]),
        f"{dossier} has the plots, the slices and the reasons.",
    ]
    return "\n\n".join(part for part in parts if part)


def of_model(facts: Facts) -> str:
    """What the registered model is, for whoever finds it; the same for all versions of a label and a gate."""
    data = facts["data"]
    return "\n\n".join(
        [
            f"How probable it is that a user without premium buys it {target_in_words(data)} "
            f"(`{data['label']}`), from what they did until the month's end.",
            "`@champion` scores the month (`scripts/submit.sh score`); `@challenger` was trained last. "
            "A challenger takes over only if",
            "\n".join(f"- {condition}" for condition in conditions(facts["made"]["gate"])),
            "`scripts/submit.sh gate --rollback` gives the champion before its place back.",
        ]
    )


def kind_of(facts: Facts) -> str:
    """The kind of model that was registered; older releases' facts don't say, for it was always trees."""
    return str(facts["made"].get("kind", XGBOOST))


def _sides(facts: Facts) -> Mapping[str, Sequence[str]]:
    return dict(facts["data"]["bars"]["split"])


def _test(facts: Facts) -> str:
    side = next(side for side in facts["data"]["sides"] if side["side"] == "test")
    return f"{side['rows']:,} user-months of {side['months']}"


def _model(facts: Facts) -> str:
    made = facts["made"]
    trials = f", parameters from {len(made['tuning']['trials'])} trials" if made["tuning"] else ""
    calibration = f"calibration {made['calibration']['method']}"
    if kind_of(facts) == LOGISTIC:
        return f"logistic regression ({calibration})"
    return f"{made['trees']} trees (xgboost{trials}, {calibration})"


def _verdict(facts: Facts) -> str:
    """Whether the trees beat logistic regression; facts of older releases don't say."""
    if "verdict" not in facts:
        return ""
    prefers = bool(facts["made"]["training"].get("prefer_simple"))
    sentence = verdict_text(facts["verdict"], prefer_simple=prefers)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _reasons(standing: Standing) -> str:
    reasons = standing.outcome["reasons"] if standing.outcome else ()
    return "\n".join(f"- {reason}" for reason in reasons)


def _row(model: str, evaluation: Facts) -> dict[str, str]:
    return {"model": model, **{words: _cell(evaluation, name) for name, words in HEADLINE.items()}}


def _cell(evaluation: Facts, name: str) -> str:
    """A metric with its interval if it has one."""
    value, ends = evaluation["metrics"].get(name), evaluation["intervals"].get(name)
    if value is None:
        return "–"
    has_interval = ends is not None and all(end is not None and end == end for end in ends)
    return f"{value:.4f} ({ends[0]:.4f}–{ends[1]:.4f})" if has_interval and ends else f"{value:.4f}"

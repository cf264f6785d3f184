"""One group built: its rows in, its model, its sides' proofs and the cases to ask about again out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from pozytywka_spark.factory.delays import case_dice
from pozytywka_spark.factory.fit import as_matrix, categories_of, fit, scored, within_reach
from pozytywka_spark.factory.proof.binomial import Floats, Whole, fewest, precision_low
from pozytywka_spark.factory.proof.cases import BAD, OK, SIDES, Cases, Flags, spokesmen, wanted
from pozytywka_spark.factory.proof.learnt import in_group
from pozytywka_spark.factory.proof.looks import asked
from pozytywka_spark.factory.proof.noise import NOBODY_ERRS, Noise
from pozytywka_spark.factory.proof.prove import Proof, prove
from pozytywka_spark.factory.proof.sequence import Demands
from pozytywka_spark.factory.split import split, witnesses

_LITTLE = 0.1  # people's errors that are so small a part of the allowed ones change little
ONE_CLASS = "training cases are of one class only"


@dataclass(frozen=True)
class How:
    """Plain values of the settings that decide a build; `score_column`: nothing is trained."""

    demands: Demands
    training_share: float
    order_share: float
    purge_days: int
    second_looks: int
    max_rounds: int
    seed: int
    trials: int = 0
    noise: Noise = NOBODY_ERRS
    score_column: str = ""


@dataclass(frozen=True)
class Built:
    """What came of a group. `curves`: of each side (share decided, precision, its bound) on tested cases."""

    proofs: tuple[Proof, ...]
    model: bytes | None
    features: tuple[str, ...]
    categories: dict[str, list[str]]
    looks: tuple[str, ...]
    curves: dict[str, list[tuple[float, float, float]]]
    facts: dict[str, float]


def build(rows: pl.DataFrame, features: Sequence[str], how: How) -> Built:
    """`rows`: case_id, accounts (list), cut_off and opened_at (microseconds), verdict and looked (as `Cases`
    has them), testable (may test: not chosen by a model), the features, and `score` where it is given; of
    the lake's cases also decided_at and asked_at (as `labels.judged_cases` has them).
    """
    rows = rows.sort("cut_off", "case_id")
    witness = witnesses(rows.get_column("accounts"))
    cases = cases_of(rows.with_columns(witness_order(rows)), witness, np.zeros(rows.height))
    trouble = trouble_of(cases, how)
    if trouble is not None:
        return discarded(trouble, features)
    training, tested = training_and_tested(rows, cases, how)
    model, categories = None, dict[str, list[str]]()
    if how.score_column:
        cases = replace(cases, score=rows.get_column("score").to_numpy().astype(np.float64))
    else:
        sure = training & (cases.judged() >= 0)
        if not has_both_classes(cases, sure):
            return discarded(ONE_CLASS, features)
        categories = categories_of(rows.filter(pl.Series(sure)), features)
        matrix = as_matrix(rows, features, categories)
        fitted = fit(
            matrix[sure], cases.judged()[sure], cases.witness[sure],
            rounds=how.max_rounds, seed=how.seed, trials=how.trials,
        )  # fmt: skip
        model, training = fitted.model, sure
        score = scored(model, matrix)
        score[sure] = within_reach(fitted.out_of_fold, score[tested], fewest_of(how))
        cases = replace(cases, score=score)
    return proven(rows, cases, training, tested, how, model, features, categories)


def cases_of(facts: pl.DataFrame, witness: Whole, score: Floats) -> Cases:
    """As a proof takes them; `facts`: verdict, looked and `order` (`witness_order`)."""
    return Cases(
        score,
        facts.get_column("verdict").to_numpy().astype(np.int64),
        witness,
        facts.get_column("order").to_numpy(),
        facts.get_column("looked").to_numpy().astype(np.int64),
    )


def witness_order(rows: pl.DataFrame) -> pl.Series:
    """`order` of cases: which of a witness's speaks for it."""
    return pl.Series("order", case_dice(rows.get_column("case_id"), "witness"))


def training_and_tested(rows: pl.DataFrame, cases: Cases, how: How) -> tuple[Flags, Flags]:
    """Which cases are training, which tested, by `cut_off` and what is `testable`."""
    share = how.order_share if how.score_column else how.training_share
    cut_off = rows.get_column("cut_off").to_numpy().astype(np.int64)
    training, tested = split(cut_off, cases.witness, cases.order, share, how.purge_days)
    return training, tested & rows.get_column("testable").to_numpy()


def has_both_classes(cases: Cases, among: Flags) -> bool:
    """Whether trees can learn of these."""
    return len(np.unique(cases.judged()[among])) == 2


def fewest_of(how: How) -> int:
    """How many tested ones without an error prove what is demanded."""
    return fewest(how.demands.precision, how.demands.confidence)


def proven(
    rows: pl.DataFrame,
    cases: Cases,
    training: Flags,
    tested: Flags,
    how: How,
    model: bytes | None,
    features: Sequence[str],
    categories: dict[str, list[str]],
) -> Built:
    """What came of scored cases: each side proven, or not, and whom to ask again."""
    learnt, later = cases.of(training), cases.of(tested)
    to_ask = learnt, later
    errors = max(in_group(learnt.ranked(side), side, how.noise).share for side in SIDES)
    if errors > _LITTLE * (1.0 - how.demands.precision):
        learnt, later = (cases.of(_was_askable(rows, each)) for each in (training, tested))
    names = [rows.get_column("case_id").filter(pl.Series(each)) for each in (training, tested)]
    proofs, looks, curves = [], list[str](), {}
    for side in SIDES:
        proof, _ = prove(learnt, later, side, how.demands, noise=how.noise)
        proofs.append(proof)
        curves[side] = curve(later, side, how.demands.confidence)
        again = asked(*to_ask, side, how.demands, how.second_looks, how.noise)
        looks += [*names[0].gather(again.training), *names[1].gather(again.tested)]
    facts = {
        "training": float(training.sum()),
        "tested": float(tested.sum()),
        "bad": float((later.judged() == BAD).sum()),
    }
    return Built(
        tuple(proofs), model, tuple(features), categories, tuple(dict.fromkeys(looks)), curves, facts
    )


def _was_askable(rows: pl.DataFrame, among: Flags) -> Flags:
    """Of these whose verdicts the last build knew that asked for second looks, if they are half or more.

    Newer ones prove nothing before they were asked about, too.
    """
    last = rows.get_column("asked_at").max() if "asked_at" in rows.columns else None
    if last is None:
        return among
    known = among & (rows.get_column("decided_at") <= last).fill_null(value=False).to_numpy()
    return known if 2 * known.sum() >= among.sum() else among


def curve(tested: Cases, side: str, confidence: float, points: int = 25) -> list[tuple[float, float, float]]:
    """Of thresholds from strict to loose: share of the cases decided, precision, its lower bound."""
    turned, found = tested.ranked(side), []
    if not len(turned):
        return []
    judged = turned.judged()
    for share in np.linspace(0.02, 1.0, points):
        threshold = np.sort(turned.score)[::-1][min(len(turned) - 1, int(share * len(turned)))]
        speaking = spokesmen(turned, turned.score >= threshold)
        wrong = int(np.sum(judged[speaking] != wanted(side)))
        low = precision_low(wrong, len(speaking), confidence)
        found.append((float(np.mean(turned.score >= threshold)), 1.0 - wrong / len(speaking), low))
    return found


def trouble_of(cases: Cases, how: How) -> str | None:
    """Why nothing can be proven of these cases whatever the model, None if it might."""
    judged = cases.judged()
    for verdict, name in ((BAD, "bad"), (OK, "ok")):
        if not np.any(judged == verdict):
            return f"one class only: no case is {name}"
    needed, there = fewest_of(how), len(np.unique(cases.witness))
    if there < needed:
        return f"too few accounts: {there}; {needed} without an error prove {how.demands.precision:g}"
    return None


def discarded(reason: str, features: Sequence[str]) -> Built:
    """A group of which nothing is kept."""
    proofs = tuple(Proof(side, None, 0, 0, 0.0, 0.0, reason) for side in SIDES)
    return Built(proofs, None, tuple(features), {}, (), {}, {})

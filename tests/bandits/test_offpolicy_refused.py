"""Policies that a log can't judge, and logs that are no good, are refused in one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from pozytywka_spark.bandits import offpolicy
from pozytywka_spark.bandits.offpolicy.evaluate import evaluate
from pozytywka_spark.config.bandits import Bandits
from pozytywka_spark.errors import DataError
from tests.bandits.made_offpolicy import ANY, BY, ONLY_B, SMALL, WORLD, log
from tests.bandits.message_logs import drawn_log


def _many(users: range, chosen: str, probability: float) -> Iterator[tuple[int, str, float, float]]:
    return ((user, chosen, probability, float(user % 3 == 0)) for user in users)


BALANCED = [*_many(range(200), "a", 0.5), *_many(range(200, 400), "b", 0.5)]


def _refused(rows: pl.DataFrame, policy: dict[str, Any], settings: Bandits = ANY) -> offpolicy.RefusedError:
    with pytest.raises(offpolicy.RefusedError) as caught:
        evaluate(rows, policy, settings)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_policy_isn_t_judged_by_days_that_it_learnt_from() -> None:
    document = WORLD.document(5) | {"trained_days": ["2024-02-20", "2024-03-02"]}
    refused = _refused(drawn_log(WORLD, BY, 50, 1, days=3), document)
    assert isinstance(refused, offpolicy.LearntFromThemError)
    assert "of which 2 are among the days 2024-03-01 to 2024-03-03" in str(refused)
    evaluate(
        drawn_log(WORLD, BY, 50, 1, days=3), document | {"trained_days": ["2024-02-01", "2024-02-29"]}, ANY
    )


def test_arms_that_the_log_never_chose_are_refused_from_one_percent_on() -> None:
    def table(share: float) -> dict[str, Any]:
        rest = (1 - share) / 2
        return {"kind": "fixed", "probabilities": {"": {"a": rest, "b": rest, "new": share}}}

    rows = log(BALANCED).with_columns(
        eligible=pl.lit(["a", "b", "new"], pl.List(pl.String)),
        days_since=pl.lit([None] * 3, pl.List(pl.Float64)),
    )
    refused = _refused(rows, table(0.02))
    assert isinstance(refused, offpolicy.NeverLoggedError)
    assert "gives 2.0% of its decisions to arms that the log never chose, such as new" in str(refused)
    evaluate(rows, table(0.009), ANY)


def test_too_few_effective_decisions_are_refused() -> None:
    refused = _refused(log(BALANCED), ONLY_B, Bandits(min_effective=201))
    assert isinstance(refused, offpolicy.TooFewEffectiveError)
    assert "effective sample 200 of 400 decisions" in str(refused)
    evaluate(log(BALANCED), ONLY_B, Bandits(min_effective=200))


def test_one_decision_that_rules_is_refused() -> None:
    rows = log([*BALANCED, (900, "b", 0.04, 1.0)])
    refused = _refused(rows, ONLY_B)
    assert isinstance(refused, offpolicy.OneDecisionRulesError)
    assert "one decision has 5.9% of all weight" in str(refused)


def test_probabilities_that_aren_t_the_log_s_are_refused() -> None:
    rows = log([*_many(range(200), "a", 0.5), *_many(range(200, 400), "b", 0.4)])
    refused = _refused(rows, {"kind": "uniform"})
    assert isinstance(refused, offpolicy.MeanWeightOffError)
    assert "weights have the mean 1.1250, 20.0 standard errors off 1" in str(refused)


def test_bad_logs_are_named_in_one_line() -> None:
    with pytest.raises(DataError, match="no column probability"):
        evaluate(SMALL.drop("probability"), ONLY_B, ANY)
    with pytest.raises(DataError, match="none is mature"):
        evaluate(SMALL.with_columns(reward=pl.lit(None, pl.Float64)), ONLY_B, ANY)
    with pytest.raises(DataError, match="decisions of slot spotlight, a policy of slot prompt"):
        evaluate(SMALL.with_columns(slot=pl.lit("spotlight")), WORLD.document(1), ANY)
    with pytest.raises(DataError, match="has no arm that the policy knows"):
        evaluate(SMALL, WORLD.document(1), ANY)
    with pytest.raises(DataError, match="isn't in \\(0, 1\\]"):
        evaluate(SMALL.with_columns(probability=0.0), ONLY_B, ANY)
    with pytest.raises(DataError, match="a chosen arm isn't eligible"):
        evaluate(SMALL.with_columns(chosen=pl.lit("c")), ONLY_B, ANY)
    with pytest.raises(DataError, match="has no group"):
        evaluate(SMALL, {"kind": "fixed", "probabilities": {"h": {"a": 1.0}}}, ANY)

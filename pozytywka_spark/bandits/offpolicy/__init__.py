"""What a policy would have brought, from decisions that another one made, or why the log can't say."""

from pozytywka_spark.bandits.offpolicy.estimates import NOTE, Estimate, Evaluation
from pozytywka_spark.bandits.offpolicy.evaluate import evaluate
from pozytywka_spark.bandits.offpolicy.refusals import (
    LearntFromThemError,
    MeanWeightOffError,
    NeverLoggedError,
    OneDecisionRulesError,
    RefusedError,
    TooFewEffectiveError,
)

__all__ = [
    "NOTE",
    "Estimate",
    "Evaluation",
    "LearntFromThemError",
    "MeanWeightOffError",
    "NeverLoggedError",
    "OneDecisionRulesError",
    "RefusedError",
    "TooFewEffectiveError",
    "evaluate",
]

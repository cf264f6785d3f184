"""Tables of bandits: what was decided in a slot, what came of it, what another policy would have brought."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

_SAID = (
    "decision_id string, slot string, user_id bigint, decided_at timestamp, group string, "
    "eligible array<string>, chosen string, probability double, probabilities array<double>, "
    "days_since array<double>, policy string, stream string, reward double"
)

# grain: decision of a slot, as it was logged. `eligible` null: all arms; `probability` that of `chosen`;
# `probabilities` those of `eligible`, null where unknown; `days_since` by eligible arm, null inside where it
# was never shown, null as a whole where it is worked out from the log; `stream`: explore or policy;
# `reward` only of slots whose reward is logged. (`decisions` are the factory's.)
SLOT_DECISIONS = table(
    "slot_decisions",
    f"{_SAID}, day date, user_bucket int",
    keys=["decision_id"],
    partition_by=["day", "user_bucket"],
    sorted_by=["slot", "user_id", "decided_at"],
)

# grain: line of a log that couldn't be taken, and why; `text` is the line without the user
SLOT_DECISIONS_ASIDE = table(
    "slot_decisions_aside",
    "content string, decision_id string, slot string, reason string, text string, source string",
    keys=["content", "reason"],
)

# grain: slot, day, arm, group and bucket of `days_since` (`seen`); sums over mature decisions in which the
# arm was eligible: Σw, Σwr, Σw² with w = 1/b where it was chosen, 1/(1 - b) where another was
BANDIT_DAYS = table(
    "bandit_days",
    "slot string, day date, arm string, group string, seen int, rounds bigint, chosen_weight double, "
    "chosen_reward double, chosen_square double, other_weight double, other_reward double, "
    "other_square double, month date",
    keys=["slot", "day", "arm", "group", "seen"],
    partition_by=["month"],
)

# grain: slot and day that was summed, and what of: `inputs` names the day's decisions, those after them that
# cut their windows short, and what was earned; `history` the decisions before, where days since they were
# shown were worked out from the log, else null. `decisions` of the log, `mature` of them, `summed` of those
BANDIT_BOOKS = table(
    "bandit_books",
    "slot string, day date, inputs string, history string, decisions bigint, mature bigint, summed bigint",
    keys=["slot", "day"],
)

# grain: slot, day and free user: what the policy of `policy` decides for them that day
BANDIT_PLAN = table(
    "bandit_plan",
    "slot string, day date, user_id bigint, decision_id string, group string, eligible array<string>, "
    "chosen string, probability double, probabilities array<double>, days_since array<double>, "
    "stream string, policy string, user_bucket int",
    keys=["slot", "day", "user_id"],
    partition_by=["slot", "day", "user_bucket"],
    sorted_by=["user_id"],
)

# grain: slot, policy, logged days [first_day, last_day] and estimator (ips, snips, dr; of a comparison with
# the log's own policy or the uniform one, `against` names it and `value` is the difference)
BANDIT_EVALUATIONS = table(
    "bandit_evaluations",
    "slot string, policy string, first_day date, last_day date, estimator string, value double, low double, "
    "high double, effective_sample double, largest_weight_share double, mean_weight double, "
    "decisions bigint, against string, inputs string",
    keys=["slot", "policy", "first_day", "last_day", "estimator", "against"],
)

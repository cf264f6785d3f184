"""A log at hand to what a policy would have brought: `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from pozytywka_spark.bandits.offpolicy.blocks import NEEDED, blocks, names_of
from pozytywka_spark.bandits.offpolicy.estimates import UNIFORM, Evaluation, evaluation_of
from pozytywka_spark.bandits.offpolicy.prepare import prepared
from pozytywka_spark.bandits.offpolicy.refusals import refuse
from pozytywka_spark.bandits.offpolicy.reward_model import cells_of, fit
from pozytywka_spark.bandits.offpolicy.sums import Summing
from pozytywka_spark.bandits.policy import Policy, parse_policy
from pozytywka_spark.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from pozytywka_spark.config import Settings
    from pozytywka_spark.config.bandits import Bandits

UNIFORM_POLICY = Policy(kind="uniform")


def evaluate(
    decisions: pl.DataFrame | pd.DataFrame,
    policy: Policy | Mapping[str, Any],
    settings: Settings | Bandits,
    *,
    name: str = "",
) -> Evaluation:
    """What `policy` (a document as `export` writes it, or read) would have brought on logged decisions.

    `decisions`: a row each, with columns as in `slot_decisions` (`stream`, `slot`, `policy` and
    `probabilities` may be absent); rows without `reward` aren't mature and left out. `name`: of the policy
    in the result, by default its version or kind. Values by ips, snips and dr with 95% intervals
    clustered by user, and the differences to the log's own policy and to the uniform one.

    Raises `RefusedError` where the log can't say it, `DataError` where the log isn't as it should be.
    """
    bandits: Bandits = settings.bandits if hasattr(settings, "bandits") else settings
    target = policy if isinstance(policy, Policy) else parse_policy(policy)
    rows = prepared(as_polars(decisions), target, bandits)
    names = names_of(rows)
    model = fit(cells_of(blocks(rows, names), names)).laid_out(names)
    summing = Summing([target, UNIFORM_POLICY])
    summing.add(blocks(rows, names), names, model)
    sums = summing.done()
    evaluation = evaluation_of(sums, 0, name or target.version or target.kind, [(UNIFORM, 1)])
    refuse(sums, 0, target, evaluation, bandits.min_effective)
    return evaluation


def as_polars(decisions: pl.DataFrame | pd.DataFrame) -> pl.DataFrame:
    """The log as Polars has it. Raises `DataError` naming a column that is missing."""
    missing = [column for column in NEEDED if column not in decisions.columns and column not in _OPTIONAL]
    if missing:
        raise DataError(f"decisions: no column {missing[0]}; expected {', '.join(NEEDED)}")
    rows = decisions if isinstance(decisions, pl.DataFrame) else pl.from_pandas(decisions)
    absent = [name for name in _OPTIONAL if name not in rows.columns]
    return rows.with_columns(pl.lit(None, _OPTIONAL[name]).alias(name) for name in absent)


_OPTIONAL: Mapping[str, pl.DataType] = {
    "group": pl.String(),
    "eligible": pl.List(pl.String()),
    "days_since": pl.List(pl.Float64()),
}

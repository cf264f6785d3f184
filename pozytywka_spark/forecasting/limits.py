"""Below which p a series of a day is out of order, and which days of a backtest were quiet. No Spark here.

The chance that quiet series alarm is shared out so that the expected number of false alarms is as the
settings say: `false_alarms` a quarter, so much of it a day, a share of it for each level (`SHARES`), and
within a level each series by its measure's `WEIGHTS` (Bonferroni's inequality: it holds however much series
depend on each other).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import polars as pl

from pozytywka_spark.forecasting.surprise import (
    Spreads,
    bulk_of_scores,
    p_values,
    spread_of_scores,
    with_scores,
)

QUARTER_DAYS = 365.25 / 4
# of a day's chance; what a level without series would have goes to the others
SHARES: Mapping[str, float] = {"total": 0.45, "city": 0.35, "group": 0.1, "both": 0.1}
# within a level: an outage shows most in who is there and in what they play
WEIGHTS: Mapping[str, float] = {"plays": 3.0, "active_users": 3.0}
# purchases and adverts at their prices: what is out of order in it is so in them, and that an operator has
# changed a price is no news
MADE_OF_OTHERS = ("revenue",)
MOST_ROUNDS = 10
MOST_ODD = 0.05  # of a backtest's days: where more are far off, that is how the series are


def looked_at(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of measures that say something of their own."""
    return rows.filter(~pl.col("measure").is_in(MADE_OF_OTHERS))


def with_limits(
    scored: pl.DataFrame, spreads: Spreads, false_alarms: float, of_day: Sequence[str] = ("day",)
) -> pl.DataFrame:
    """Rows of `with_scores`, in their order, with `spread`, `p` and `limit`; only what is there of a day
    (`of_day` names the columns that tell days apart) shares its chance."""
    known = pl.DataFrame(
        [(*key, spread) for key, spread in spreads.of.items()],
        {"level": pl.String, "measure": pl.String, "spread": pl.Float64},
        orient="row",
    )
    wide = scored.join(known, on=["level", "measure"], how="left", maintain_order="left").with_columns(
        pl.col("spread").fill_null(spreads.usual)
    )
    share, weight = (
        pl.col(name).replace_strict(of, default=1.0, return_dtype=pl.Float64)
        for name, of in (("level", SHARES), ("measure", WEIGHTS))
    )
    level = [*of_day, "level"]
    there = (share / pl.len().over(level)).sum().over(of_day)
    chance = false_alarms / QUARTER_DAYS
    columns = (wide.get_column(name).to_numpy() for name in ("score", "spread"))
    return wide.with_columns(
        pl.Series("p", p_values(*columns), pl.Float64),
        limit=chance * share / there * weight / weight.sum().over(level),
    )


def quiet_spreads(past: pl.DataFrame, odd: Collection[date], false_alarms: float) -> Spreads:
    """How wide the scores of quiet days of a backtest were; `past` as `with_scores` wants it, with `origin`
    and `day`.

    Left out are the days of `odd`, and those that would alarm themselves by what the others say, `MOST_ODD`
    of them at most: an outage in the history must not make the next one look usual. What the others say is
    begun with the bulk of scores, which few odd days don't move.
    """
    scored = with_scores(looked_at(past).filter(~pl.col("day").is_in(sorted(odd))))
    most = max(1, int(MOST_ODD * scored.get_column("day").n_unique()))
    spreads, out = bulk_of_scores(scored), pl.Series([], dtype=pl.Date)
    for _ in range(MOST_ROUNDS):
        judged = with_limits(scored, spreads, false_alarms, ("origin", "day"))
        worst = judged.group_by("day").agg(worst=(pl.col("p") / pl.col("limit")).min())
        before, out = out, worst.filter(pl.col("worst") < 1).sort("worst", "day")["day"].head(most).sort()
        spreads = spread_of_scores(scored.filter(~pl.col("day").is_in(out.implode())))
        if out.equals(before):
            break
    return spreads

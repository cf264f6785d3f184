"""How features go together: Spearman's rank correlation, groups of redundant ones, nulls and drift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

KEYS = ("user_id", "month")
Matrix = np.ndarray


@dataclass(frozen=True)
class Correlation:
    """Spearman's coefficients of `names` by `names`; not a number where one of the two is constant."""

    names: Sequence[str]
    values: Matrix


def spearman(rows: DataFrame, names: Sequence[str]) -> Correlation:
    """Spearman's rank correlation of every two of `names`, over the rows where both are known.

    Ranks (ties share their mean) are taken per column over all its known values; then each partition
    adds up its sums of products, and only these matrices, whose size doesn't depend on the rows, come
    to the driver.
    """
    ranked = _ranks(rows, names)
    schema = "n array<double>, s array<double>, q array<double>, p array<double>"

    def moments(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        sums = [np.zeros((len(names), len(names))) for _ in range(4)]
        for batch in batches:
            x = np.stack(list(batch["ranks"])).astype(float)
            known = (~np.isnan(x)).astype(float)
            x = np.nan_to_num(x)
            for total, part in zip(
                sums, (known.T @ known, x.T @ known, (x * x).T @ known, x.T @ x), strict=True
            ):
                total += part
        yield pd.DataFrame([[part.ravel().tolist() for part in sums]], columns=["n", "s", "q", "p"])

    parts = ranked.mapInPandas(moments, schema).collect()
    n, s, q, p = (
        np.sum([np.asarray(part[key]).reshape(len(names), len(names)) for part in parts], axis=0)
        for key in ("n", "s", "q", "p")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = p - s * s.T / n
        spread = np.sqrt((q - s * s / n) * (q - s * s / n).T)
        return Correlation(tuple(names), np.where(spread > 1e-9, covariance / spread, np.nan))


def redundant_groups(correlation: Correlation, threshold: float) -> list[list[str]]:
    """Features that are tied to each other, directly or by a chain, by |rho| of `threshold` or more."""
    strong = np.abs(np.nan_to_num(correlation.values)) >= threshold
    left = set(range(len(correlation.names)))
    groups = []
    while left:
        group, reached = set(), {min(left)}
        while reached:
            group |= reached
            reached = {j for i in reached for j in left if strong[i, j]} - group
        left -= group
        if len(group) > 1:
            groups.append([correlation.names[i] for i in sorted(group)])
    return sorted(groups, key=len, reverse=True)


def drift(rows: DataFrame, names: Sequence[str]) -> list[dict[str, object]]:
    """Per feature: the share of nulls over all months and in the worst month, and how far monthly means move.

    `drift` is the range of the monthly means in standard deviations of all rows.
    """
    monthly = rows.groupBy("month").agg(
        *(F.avg(name).alias(f"m_{name}") for name in names),
        *(F.avg(F.col(name).isNull().cast("int")).alias(f"z_{name}") for name in names),
    ).toPandas()  # fmt: skip
    spread = rows.agg(
        *(F.stddev(name).alias(f"d_{name}") for name in names),
        *(F.avg(F.col(name).isNull().cast("int")).alias(f"z_{name}") for name in names),
    ).collect()[0]
    report = []
    for name in names:
        means = monthly[f"m_{name}"].dropna()
        deviation = spread[f"d_{name}"]
        moved = float(means.max() - means.min()) / deviation if len(means) and deviation else None
        report.append(
            {
                "feature": name,
                "nulls": spread[f"z_{name}"],
                "nulls in worst month": float(monthly[f"z_{name}"].max()),
                "drift": moved,
            }
        )
    return report


def _ranks(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """Grain: row. `ranks`: the mean ranks of its values, NaN where null, in the order of `names`."""
    cells = rows.select(
        *KEYS, F.posexplode(F.array(*(F.col(name).cast("double") for name in names))).alias("place", "value")
    ).where(F.col("value").isNotNull())
    tie = Window.partitionBy("place", "value")
    order = Window.partitionBy("place").orderBy("value")
    # the mean rank of a run of ties: where it begins, plus half of what is in it
    mean = F.rank().over(order) + (F.count(F.lit(1)).over(tie) - 1) / F.lit(2.0)
    pairs = cells.select(*KEYS, "place", mean.alias("value")).groupBy(*KEYS).agg(
        F.map_from_entries(F.collect_list(F.struct("place", "value"))).alias("by_place")
    )  # fmt: skip
    unknown = F.lit(float("nan"))
    values = [F.coalesce(F.try_element_at("by_place", F.lit(place)), unknown) for place in range(len(names))]
    return pairs.select(F.array(*values).alias("ranks"))

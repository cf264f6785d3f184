"""From cells to readings: each month, and everything up to it, every treatment against control."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from pozytywka_spark.experiments.analysis import cuped, proportions, sequential
from pozytywka_spark.experiments.analysis.proportions import Comparison, Floats
from pozytywka_spark.experiments.analysis.sufficient_statistics import Cells, at_risk, cumulative, moments
from pozytywka_spark.experiments.assignment.allocation import CONTROL
from pozytywka_spark.months import number_of

MONTH, CUMULATIVE, SEGMENT = "month", "cumulative", "segment"
Row = dict[str, Any]


def read_all(
    cells: Cells,
    treatments: Sequence[str],
    months: Sequence[date],
    alpha: float,
    expected_share: float,
    method: str,
) -> list[Row]:
    """Rows of the readings `month` and `cumulative` for every treatment, as the table has them.

    By month: buyers among those free at its start. Cumulative: premium share of all who had entered, with
    CUPED and the always-valid band, whose error is split evenly over the treatments. `p_adjusted` is
    corrected by `method` for the number of treatments read at the same time.
    """
    rows: list[Row] = []
    for group in treatments:
        rows += by_month(cells, group, months, alpha)
        rows += cumulatively(cells, group, months, alpha, expected_share, alpha / len(treatments))
    return [
        row | {"p_adjusted": p} for row, p in zip(rows, _over_treatments(rows, alpha, method), strict=True)
    ]


def _over_treatments(rows: Sequence[Row], alpha: float, method: str) -> list[float]:
    """Each row's p-value corrected for the treatments of the same reading and month."""
    together: dict[tuple[str, date], list[int]] = {}
    for place, row in enumerate(rows):
        together.setdefault((row["reading"], row["month"]), []).append(place)
    p_values = [math.nan] * len(rows)
    for places in together.values():
        corrected = proportions.adjusted([rows[place]["p_value"] for place in places], alpha, method)
        for place, p in zip(places, corrected, strict=True):
            p_values[place] = p
    return p_values


def by_month(cells: Cells, group: str, months: Sequence[date], alpha: float) -> list[Row]:
    """Rows of the reading `month`."""
    numbers = [number_of(month) for month in months]
    treated, control = (at_risk(cells, name, numbers) for name in (group, CONTROL))
    comparison = _compare(treated.bought, treated.free, control.bought, control.free, alpha)
    return [
        _row(
            MONTH,
            month,
            group,
            (treated.free, treated.bought),
            (control.free, control.bought),
            comparison,
            at,
        )
        for at, month in enumerate(months)
    ]


def cumulatively(
    cells: Cells,
    group: str,
    months: Sequence[date],
    alpha: float,
    expected_share: float,
    sequential_alpha: float,
) -> list[Row]:
    """Rows of the reading `cumulative`."""
    numbers = [number_of(month) for month in months]
    treated, control = (cumulative(cells, name, numbers) for name in (group, CONTROL))
    comparison = _compare(treated[1], treated[0], control[1], control[0], alpha)
    # rho must not depend on what came later: it is that of the groups at the first look
    first = sequential.expected_variance(treated[0][:, 0].sum(), control[0][:, 0].sum(), expected_share)
    band = sequential.read(
        at_risk(cells, group, numbers),
        at_risk(cells, CONTROL, numbers),
        sequential_alpha,
        sequential.mixture_width(first, sequential_alpha),
    )
    weight = _weights(treated[0], control[0])
    rows = []
    for at, month in enumerate(months):
        row = _row(CUMULATIVE, month, group, treated, control, comparison, at)
        adjusted = _adjustment(cells, group, numbers[at], weight[:, at])
        corrected = cuped.corrected(row["difference"], row["low"], row["high"], adjusted)
        names = ("cuped_difference", "cuped_low", "cuped_high")
        rows.append(
            row
            | dict(zip(names, corrected, strict=True))
            | {"cuped_width": adjusted.width}
            | {f"always_{name}": float(getattr(band, name)[at]) for name in ("difference", "low", "high")}
            | {"always_p": float(band.p_value[at])}
        )
    return rows


def segment_rows(
    counts: Sequence[Mapping[str, Any]],
    treatments: Sequence[str],
    month: date,
    alpha: float,
    *,
    method: str,
    fewest: int,
) -> list[Row]:
    """Rows of the reading `segment` as of the end of `month`, p-values corrected over all of them.

    `counts` has a row a `segment`, `value`, `group` and `revision`: `users`, `buyers`. A segment with
    fewer than `fewest` users in a group is left out.
    """
    by_key: dict[tuple[str, str], dict[tuple[str, int], tuple[float, float]]] = {}
    for count in counts:
        by_group = by_key.setdefault((count["segment"], count["value"]), {})
        by_group[count["group"], count["revision"]] = (float(count["users"]), float(count["buyers"]))
    rows = []
    for (segment, value), by_group in sorted(by_key.items()):
        strata = sorted({revision for _, revision in by_group})
        for group in treatments:
            t, c = (
                np.array([by_group.get((name, revision), (0.0, 0.0)) for revision in strata])[:, :, None]
                for name in (group, CONTROL)
            )
            if min(t[:, 0].sum(), c[:, 0].sum()) < fewest:
                continue
            comparison = _compare(t[:, 1], t[:, 0], c[:, 1], c[:, 0], alpha)
            row = _row(SEGMENT, month, group, (t[:, 0], t[:, 1]), (c[:, 0], c[:, 1]), comparison, 0)
            rows.append(row | {"segment": segment, "value": value})
    corrected = proportions.adjusted([row["p_value"] for row in rows], alpha, method)
    return [row | {"p_adjusted": p} for row, p in zip(rows, corrected, strict=True)]


def balance(cells: Cells, treatments: Sequence[str], names: Sequence[str], last: date) -> list[Row]:
    """Before entry the groups should be alike: the difference of each covariate in standard deviations."""
    rows = []
    for group in treatments:
        for place, name in enumerate(names):
            gap, variance, total = 0.0, 0.0, 0.0
            for revision in cells.revisions:
                t, c = (moments(cells, who, revision, number_of(last)) for who in (group, CONTROL))
                if min(t.users, c.users) < 2:
                    continue
                size = t.users + c.users
                gap += size * (t.x[place] / t.users - c.x[place] / c.users)
                variance += sum(cell.xx[place, place] - cell.x[place] ** 2 / cell.users for cell in (t, c))
                total += size
            spread = math.sqrt(variance / total) if total and variance > 0 else math.nan
            rows.append(
                {
                    "group": group,
                    "before entry": name,
                    "difference in sd": gap / total / spread if total else math.nan,
                }
            )
    return rows


def _compare(t_count: Floats, t_users: Floats, c_count: Floats, c_users: Floats, alpha: float) -> Comparison:
    """Strata (first axis) standardised to the users of both groups, then compared."""
    weight = _weights(t_users, c_users)
    return proportions.compare(
        proportions.standardised(t_count, t_users, weight),
        proportions.standardised(c_count, c_users, weight),
        alpha,
    )


def _weights(t_users: Floats, c_users: Floats) -> Floats:
    """Each stratum's share of the users of strata in which both groups have some."""
    both = np.where((t_users > 0) & (c_users > 0), t_users + c_users, 0.0)
    total = both.sum(axis=0, keepdims=True)
    weight: Floats = np.divide(both, total, out=np.zeros_like(both), where=total > 0)
    return weight


def _adjustment(cells: Cells, group: str, month: int, weight: Floats) -> cuped.Adjustment:
    weighed = [(revision, part) for revision, part in zip(cells.revisions, weight, strict=True) if part > 0]
    if not cells.covariates or not weighed:
        return cuped.NONE
    treated, control = (
        [moments(cells, name, revision, month) for revision, _ in weighed] for name in (group, CONTROL)
    )
    return cuped.adjustment(treated, control, np.array([part for _, part in weighed]))


def _row(
    reading: str,
    month: date,
    group: str,
    treated: tuple[Floats, Floats],
    control: tuple[Floats, Floats],
    comparison: Comparison,
    at: int,
) -> Row:
    """One line of the table: plain counts of both groups and what the comparison says."""
    users, bought = (int(value[:, at].sum()) for value in treated)
    control_users, control_bought = (int(value[:, at].sum()) for value in control)
    return {
        "reading": reading,
        "segment": "",
        "value": "",
        "month": month,
        "group": group,
        "users": users,
        "purchases": bought,
        "share": bought / users if users else math.nan,
        "control_users": control_users,
        "control_purchases": control_bought,
        "control_share": control_bought / control_users if control_users else math.nan,
        **{name: float(value[at]) for name, value in vars(comparison).items()},
    }

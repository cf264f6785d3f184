"""Which of a day's series are out of order: false alarms controlled over all of them, children explained.

Of a day's many series few are to alarm, and none twice: `limits` shares out the chance that quiet ones do.

A child is *explained* by a parent that alarms if its own value is nothing special once the parent's ratio of
actual to expected is expected of it too. A parent alarms for its children only where it is out of order as a
whole: if what is left of it, without the children that are, looks like a quiet day, they alarm and it does
not. So the outage of a city is the city's, and one of the service is the service's. The series of one
place that are out of order on a day are one alarm: of plays if they are among them, else of the measure of
the least p, and its detail names the others. Where one series of a place is out of order, its others are held
to the chance of the place as a whole, for measures fall together. No Spark here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from pozytywka_spark.forecasting.limits import looked_at, with_limits
from pozytywka_spark.forecasting.measures import ALL, BY_NAME
from pozytywka_spark.forecasting.surprise import LEVELS, Spreads, p_value, scores, with_scores

LITTLE = 0.02  # of what was expected of a node: less tells nothing
FEW = 0.7  # of the plays expected of the whole service: less may be a delivery that isn't complete
_PARENTS = {"total": (), "city": ("total",), "group": ("total",), "both": ("city", "group", "total")}


@dataclass(frozen=True)
class Node:
    """A series on a day beside its forecast; `limit`: the p below which it is out of order."""

    measure: str
    city: str
    group_id: str
    level: str
    actual: float
    mean: float
    sigma: float
    spread: float
    limit: float

    def p(self, ratio: float = 1.0) -> float:
        """Of the value, if `ratio` times as much as was foretold were to be expected."""
        mean, sigma = self.mean * ratio, self.sigma * max(ratio, ratio**0.5)
        columns = (np.array([each]) for each in (self.actual, mean, sigma))
        score = scores(*columns, whole=BY_NAME[self.measure].is_count)
        return p_value(float(score[0]), self.spread)

    def alarms(self, ratio: float = 1.0) -> bool:
        """Whether the value is out of order."""
        return self.p(ratio) < self.limit

    @property
    def ratio(self) -> float:
        """Actual to expected."""
        return self.actual / self.mean if self.mean > 0 else float("inf") if self.actual > 0 else 1.0

    @property
    def place(self) -> tuple[str, str]:
        """City and group."""
        return self.city, self.group_id


@dataclass(frozen=True)
class Alarm:
    """What was out of order: the series that stands for its place, and all of the place that were."""

    day: date
    node: Node
    others: tuple[Node, ...]

    @property
    def is_incomplete(self) -> bool:
        """Whether a delivery may not be complete: far fewer plays of the whole service than expected."""
        everywhere = self.node.level == "total" and self.node.measure == "plays"
        return everywhere and self.node.ratio < FEW

    @property
    def detail(self) -> str:
        """In words."""
        side = f"{self.node.ratio:.0%} of what was expected" if self.node.mean > 0 else "nothing was expected"
        text = f"{self.node.measure} {side}"
        if self.others:
            text += "; also " + ", ".join(f"{each.measure} {each.ratio:.0%}" for each in self.others)
        return f"{text}; a delivery may be incomplete" if self.is_incomplete else text


def alarms_of_day(day: date, rows: pl.DataFrame, spreads: Spreads, false_alarms: float) -> list[Alarm]:
    """Of a day's series beside their forecasts: measure, city, group_id, actual, mean, high_90."""
    scored = with_scores(looked_at(rows).with_columns(day=pl.lit(day)))
    judged = with_limits(scored, spreads, false_alarms)
    if not (judged.get_column("p") < judged.get_column("limit")).any():
        return []
    found = [node for nodes in _nodes(judged).values() for node in _explained(nodes)]
    by_place: dict[tuple[str, str], list[Node]] = {}
    for node in found:
        by_place.setdefault(node.place, []).append(node)
    return [_one(day, mine) for _, mine in sorted(by_place.items(), key=lambda each: _rank(each[1][0]))]


def _nodes(judged: pl.DataFrame) -> dict[str, list[Node]]:
    """By measure. Of a place where one is out of order all have the limit of the place."""
    place = ["city", "group_id"]
    is_out = (pl.col("p") < pl.col("limit")).any().over(place)
    limit = pl.when(is_out).then(pl.col("limit").sum().over(place)).otherwise(pl.col("limit"))
    nodes: dict[str, list[Node]] = {}
    for row in judged.with_columns(limit=limit).iter_rows(named=True):
        values = (row[name] for name in ("level", "actual", "mean", "sigma", "spread", "limit"))
        nodes.setdefault(row["measure"], []).append(
            Node(row["measure"], row["city"], row["group_id"], *values)
        )
    return nodes


def _explained(nodes: Sequence[Node]) -> list[Node]:
    """Of a measure's nodes those that alarm, the highest that explain their children."""
    by_place = {node.place: node for node in nodes}
    out = {node.place for node in nodes if node.alarms()}
    if not out:
        return []
    alarmed: dict[tuple[str, str], Node] = {}
    for level in LEVELS:
        for node in (each for each in nodes if each.level == level and each.place in out):
            parents = [alarmed[place] for place in _parents(node) if place in alarmed]
            if any(not node.alarms(parent.ratio) for parent in parents):
                continue  # nothing special, as its parent's day is
            if _stands_for(node, list(_children(node, by_place.values())), out):
                alarmed[node.place] = node
    return list(alarmed.values())


def _stands_for(node: Node, children: Sequence[Node], out: set[tuple[str, str]]) -> bool:
    """Whether a node that is out of order is so as a whole, not for some of its children alone.

    Of its cities and of its groups, each by themselves: those that are out of order are taken away; what is
    left has to look more like the node's own ratio than like a quiet day. Where next to nothing is left, half
    of them (by what was expected) must be nothing special beside that ratio.
    """
    for level in LEVELS:
        special = [each for each in children if each.level == level and each.place in out]
        if not special:
            continue
        left = _without(node, special)
        if left.mean > LITTLE * node.mean:
            stands = left.p(node.ratio) >= left.p()
        else:
            alike = sum(each.mean for each in special if not each.alarms(node.ratio))
            stands = alike >= sum(each.mean for each in special) / 2
        if not stands:
            return False
    return True


def _without(node: Node, children: Sequence[Node]) -> Node:
    """A node less some children that don't overlap: what is left has its share of the variance."""
    mean = max(node.mean - sum(each.mean for each in children), 0.0)
    share = mean / node.mean if node.mean > 0 else 0.0
    actual = max(node.actual - sum(each.actual for each in children), 0.0)
    return replace(node, mean=mean, actual=actual, sigma=node.sigma * share**0.5)


def _children(node: Node, nodes: Iterable[Node]) -> Iterable[Node]:
    """Of a total its cities and groups, of those their city × group."""
    for each in nodes:
        if node.level == "total":
            is_child = each.level in ("city", "group")
        elif node.level == "city":
            is_child = each.level == "both" and each.city == node.city
        else:
            is_child = node.level == "group" and each.level == "both" and each.group_id == node.group_id
        if is_child:
            yield each


def _parents(node: Node) -> list[tuple[str, str]]:
    places = {"total": (ALL, ALL), "city": (node.city, ALL), "group": (ALL, node.group_id)}
    return [places[level] for level in _PARENTS[node.level]]


def _one(day: date, nodes: Sequence[Node]) -> Alarm:
    """All of a place as one."""
    ordered = sorted(nodes, key=lambda node: (node.measure != "plays", node.p(), node.measure))
    return Alarm(day, ordered[0], tuple(ordered[1:]))


def _rank(node: Node) -> tuple[int, str, str]:
    return LEVELS.index(node.level), node.city, node.group_id

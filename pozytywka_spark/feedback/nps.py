"""The net promoter score and how sure it is, from counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z = 1.959963984540054  # of 95%


@dataclass(frozen=True)
class Nps:
    """Of `answers` the share of promoters less that of detractors, times 100; `low` to `high`: 95%."""

    answers: int
    score: float
    low: float
    high: float


def nps_of(promoters: int, passives: int, detractors: int) -> Nps | None:
    """None without an answer. The interval is Wald's after three answers more, of which 3/4 are promoters,
    3/4 detractors: it covers what it says where there are few answers, too (Rocks 2016). Answers count as
    independent of each other, though some are of one person.

    >>> nps_of(50, 30, 20)
    Nps(answers=100, score=30.0, low=14.1, high=44.2)
    """
    answers = promoters + passives + detractors
    if not answers:
        return None
    more = answers + 3.0
    up, down = (promoters + 0.75) / more, (detractors + 0.75) / more
    centre = up - down
    half = _Z * math.sqrt(max(up + down - centre**2, 0.0) / more)
    low, high = max(-1.0, centre - half), min(1.0, centre + half)
    score = (promoters - detractors) / answers
    return Nps(answers, round(100 * score, 1), round(100 * low, 1), round(100 * high, 1))

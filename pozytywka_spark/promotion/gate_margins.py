"""How far each metric is from changing the gate's decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pozytywka_spark.config import Gate
from pozytywka_spark.evaluation.metric_sums import Floats
from pozytywka_spark.evaluation.metrics import Evaluation


@dataclass(frozen=True)
class Advantage:
    """The challenger's lead in a metric (more is better), its paired replicates, and how sure is sure."""

    metric: str
    lead: float
    drawn: Floats
    confidence: float

    @property
    def needed(self) -> float:
        """The lead that would be beyond noise: the one whose lower bound is 0, by the replicates' spread."""
        low = float(np.quantile(self.drawn - self.drawn.mean(), 1 - self.confidence))
        return -low


def allowed_calibration_error(evaluation: Evaluation, gate: Gate) -> tuple[float, float]:
    """What chance alone gives, and the most that the gate lets through.

    A perfectly calibrated model shows an error too: in a bin of n rows with probability p the observed
    rate is off by sqrt(2/pi) sqrt(p (1 - p) / n) on average. Half as much again is granted on top.
    """
    size = sum(row["rows"] for row in evaluation.bins)
    noise = sum(
        row["rows"] * np.sqrt(2 / np.pi * row["predicted"] * (1 - row["predicted"]) / row["rows"]) / size
        for row in evaluation.bins
    )
    return float(noise), gate.max_calibration_error + 1.5 * float(noise)


def what_would_change(
    advantage: Advantage, challenger: Evaluation, gate: Gate, collapsed: Sequence[str]
) -> tuple[str, ...]:
    """For each condition, in words: how far the challenger is from the other side of it."""
    return (
        _about_lead(advantage),
        _about_calibration(challenger, gate),
        *(f"the slice {name} would have to lose no more than {gate.max_slice_drop}" for name in collapsed),
    )


def _about_lead(advantage: Advantage) -> str:
    lead, metric = advantage.lead, advantage.metric
    if len(advantage.drawn) == 0:
        return f"no replicate of {metric} could be drawn: more users in the test months are needed"
    needed = advantage.needed
    if lead == needed == 0:
        return f"both give the same {metric} on whatever users are drawn: there is nothing to choose between"
    if lead > 0 and lead >= needed:
        return f"the lead in {metric} of {lead:.4f} is beyond noise; below about {needed:.4f} it would not be"
    if lead <= 0:
        behind = f"the challenger is behind by {-lead:.4f} in {metric}"
        return f"{behind}; it would have to lead by about {needed:.4f}"
    times = (needed / lead) ** 2
    return (
        f"the lead in {metric} of {lead:.4f} would have to be about {needed:.4f}, "
        f"or hold on about {times:.1f} times as many users"
    )


def _about_calibration(challenger: Evaluation, gate: Gate) -> str:
    _, allowed = allowed_calibration_error(challenger, gate)
    error = challenger.metrics["calibration_error"]
    if error <= allowed:
        return f"the calibration error could rise from {error:.4f} to {allowed:.4f} before the gate closed"
    return f"the calibration error of {error:.4f} would have to fall to {allowed:.4f}"

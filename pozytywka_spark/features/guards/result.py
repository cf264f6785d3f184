"""The result of a guard that passed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GuardResult:
    """A guard that passed: what it looked at and what that cost."""

    guard: str
    checked: str
    seconds: float

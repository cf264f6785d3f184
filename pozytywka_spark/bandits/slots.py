"""A slot as workers know it: plain values of the settings, and times in microseconds. No Spark here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pozytywka_spark.errors import UsageError
from pozytywka_spark.months import DAY_MICROS, HOUR_MICROS

if TYPE_CHECKING:
    from pozytywka_spark.config import Settings

LOGGED, SEASONAL = "logged", "seasonal"


@dataclass(frozen=True)
class SlotPlan:
    """`arms`: those declared, none if the log says them; `window`: how long a reward is waited for."""

    name: str
    kind: str
    reward: str
    window: int
    arms: tuple[str, ...]

    @property
    def is_logged(self) -> bool:
        """Whether the log brings the reward along."""
        return self.reward == LOGGED

    @property
    def window_days(self) -> int:
        """Days after a decision's own that its window may reach into."""
        return -(-self.window // DAY_MICROS)


def slots_of(settings: Settings) -> dict[str, SlotPlan]:
    """All slots of the settings."""
    return {
        name: SlotPlan(name, slot.kind, slot.reward, slot.window_hours * HOUR_MICROS, tuple(slot.arms))
        for name, slot in settings.bandits.slots.items()
    }


def slot_of(settings: Settings, name: str) -> SlotPlan:
    """The slot of that name. Raises `UsageError` naming those there are."""
    slots = slots_of(settings)
    if name not in slots:
        raise UsageError(f"--slot {name}: there is no such slot; bandits.slots has {', '.join(slots)}")
    return slots[name]

"""Settings of bandits: slots, how a policy learns, when it is believed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section, decides

Estimated = Literal["estimated"]


class Rule(Section):
    """A condition on the user; null never qualifies, but for `unknown`."""

    column: str = Field(min_length=1, description="of the user's features, or group, weekday")
    op: Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "known", "unknown"]
    value: str | float | bool | tuple[str | float, ...] | None = None


class Arm(Section):
    """One of what can be chosen; all rules must hold."""

    text: str | None = None
    rules: tuple[Rule, ...] = ()


class Slot(Section):
    """A place where something is chosen."""

    kind: Literal["recovering_softmax", "seasonal"]
    reward: Literal["BUY_PREMIUM", "PLAY", "LIKE", "logged"] = "BUY_PREMIUM"
    window_hours: int = Field(24, ge=1, le=24 * 90)
    arms: dict[str, Arm] = Field(default={}, description="by name; none: those of the log")
    group: str = Field(
        "city",
        min_length=1,
        description="what `plan` takes as a user's group: a column of `users` (of a list its first entry)",
    )


class Softmax(Section):
    """The recovering difference softmax; each number may be set or estimated from the log."""

    shrinkage: Estimated | Annotated[float, Field(ge=0)] = "estimated"
    gamma: Estimated | Annotated[float, Field(ge=0)] = "estimated"
    half_life_days: Estimated | Annotated[float, Field(gt=0)] = "estimated"
    temperature: Estimated | Annotated[float, Field(gt=0)] = "estimated"
    window: Literal["auto", "all"] | Annotated[int, Field(ge=1)] = "auto"


def _prompt(text: str, column: str, op: Literal["eq", "ge"], value: float | str) -> Arm:
    return Arm(text=text, rules=(Rule(column=column, op=op, value=value),))


SLOTS = {
    "premium_prompt": Slot(
        kind="recovering_softmax",
        reward="BUY_PREMIUM",
        arms={
            "none": Arm(),  # nothing is shown
            "try_premium": Arm(text="Try premium: all of Pozytywka, as long as you like"),
            "no_adverts": _prompt(
                "No more adverts between your songs", "number_of_advertisements", "ge", 1.0
            ),
            "your_likes": _prompt("Everything you liked, without a pause", "number_of_likes", "ge", 1.0),
            "all_day": _prompt("You listen a lot: premium pays for you", "number_of_tracks", "ge", 30.0),
            "new_week": _prompt("A new week: new music, no adverts", "weekday", "eq", "monday"),
        },
    ),
    "spotlight": Slot(kind="seasonal", reward="logged", group="favourite_genres"),
}


class Seasonal(Section):
    """Slots with many arms whose rewards have seasons, learnt by genre."""

    drift: Estimated | Annotated[float, Field(gt=0)] = Field(
        "estimated", description="sd of what a day changes in an arm's log rate"
    )
    watch: float = Field(
        0.05,
        ge=0,
        le=0.5,
        description="share of decisions spread evenly over genres, so that seasons are seen",
    )
    floor: float = Field(0.0, ge=0, lt=0.1, description="probability of each arm, at least")
    cap: float = Field(0.95, gt=0, le=1, description="probability of each arm, at most")


class Bandits(Section):
    """What is chosen where, and how that is learnt."""

    section_decides = decides("bandits")

    slots: dict[str, Slot] = Field(default=SLOTS, description="by name")
    buckets: int | None = Field(
        None,
        ge=1,
        le=1000,
        json_schema_extra=NOTHING,
        description="of users, that the first take-in lays the log out in; null: by its size",
    )
    min_probability: float = Field(0.005, gt=0, lt=0.5, description="of a round that is summed, at least")
    explore: float = Field(0.05, ge=0, le=1, description="share of decisions uniform over the eligible")
    holdout_days: int = Field(2, ge=1, description="latest days that learning leaves to the gate")
    min_effective: float = Field(1000, ge=1, description="effective sample of an evaluation, at least")
    softmax: Softmax = Softmax()
    seasonal: Seasonal = Seasonal()

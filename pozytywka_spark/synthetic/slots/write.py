"""The logs of a world's slots beside its delivery, and what is true of them beside its truth."""

from __future__ import annotations

import json
from collections.abc import Callable

from pyspark.sql import SparkSession

from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.storage.folder import Folder
from pozytywka_spark.synthetic.each_part import Parts, write_lines
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.slots import messages, spotlight
from pozytywka_spark.synthetic.slots.entries import entries_of, slots_of
from pozytywka_spark.synthetic.slots.log import Entries, lines, truth_lines
from pozytywka_spark.synthetic.words import CITIES

STAMP = "_world.json"  # as the delivery carries it
ARMS = "slots.json"  # what is true of arms, in the truth


def decisions_path(path: str) -> str:
    """Where the logs of the slots stand that belong to the delivery at `path`, a folder each."""
    return f"{path.rstrip('/')}_decisions"


def write_logs(spark: SparkSession | None, plan: Plan, place: Folder, truth: Folder) -> None:
    """Write `place`, a folder of lines a slot as `bandits take-in` takes them, and into `truth`.

    There: `decisions_SLOT`, the worth of each eligible arm in each decision, and `slots.json`, what is true
    of the arms. Logs of an earlier world go. Raises `DataError` if `place` holds anything else.
    """
    slots = slots_of(plan)
    if not place.is_empty():
        if place.read(STAMP) is None:
            if not slots:
                return  # somebody's own
            raise DataError(
                f"{place.uri} holds something that synthesize did not make: choose another folder"
            )
        place.delete()
    if not slots:
        return
    making = place.sibling(".making")
    making.delete()
    for slot in slots:
        for folder, into, say in ((making, slot, lines), (truth, f"decisions_{slot}", truth_lines)):
            write_lines(spark, _lines(plan, slot, say), folder, into)
    truth.write(ARMS, json.dumps(_arms(plan), indent=1, ensure_ascii=False))
    making.write(STAMP, plan.stamp())
    making.move_to(place)


def _lines(plan: Plan, slot: str, say: Callable[[Entries], list[str]]) -> Parts:
    return Parts.of_lines(plan.chunks, lambda chunk: say(entries_of(plan, chunk, slot)))


def _arms(plan: Plan) -> dict[str, object]:
    told: dict[str, object] = {}
    slots = plan.world.slots
    if slots.messages is not None:
        by_arm = zip(messages.ARMS, messages.effects(plan).tolist(), strict=True)
        told[messages.SLOT] = {
            "effects": {arm: dict(zip(CITIES, effect, strict=True)) for arm, effect in by_arm},
            "novelty": slots.novelty,
            "half_life_days": slots.half_life_days,
        }
    if slots.spotlight is not None:
        cast = spotlight.cast_of(plan)
        names = [None if number < 0 else spotlight.SEASONS[number] for number in cast.season]
        told[spotlight.SLOT] = {
            arm: {"genre": spotlight.genre_name(plan, int(genre)), "season": season}
            for arm, genre, season in zip(spotlight.arms_of(plan), cast.genre, names, strict=True)
        }
    return told

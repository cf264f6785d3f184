"""A group's rows thrown to parts, each with whole cases, for tasks that hold no more than a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pozytywka_spark.factory.across.parts import PART_BASE, PART_ROWS, PART_SIGNALS, Spread
from pozytywka_spark.factory.inputs import Group, is_too_big
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Tasks

_PARTS_A_TASK = 4  # a part is so much less than what one task may hold


@dataclass(frozen=True)
class Parts:
    """Parts that have cases; `rings`: whether any case of the group is one."""

    parts: tuple[Group, ...]
    rings: bool


def parts_for(group: Group, names: Sequence[str], max_cells: int) -> int:
    """How many parts a task can hold each."""
    return -(-_PARTS_A_TASK * group.cases * max(1, len(names)) // max_cells)


def spread(tasks: Tasks, group: Group, count: int) -> Parts:
    """The group in so many parts, by its cases' hash."""
    sources: list[tuple[str, Parcel]] = [
        *((PART_ROWS, parcel) for parcel in group.rows),
        *((PART_BASE, parcel) for parcel in group.base),
        *((PART_SIGNALS, parcel) for parcel in group.signals),
    ]
    done = tasks.run(
        sources, Spread(count), weight=lambda one: one[1].size, named=lambda _: f"group {group.name}"
    )
    by_part: dict[int, dict[str, list[Parcel]]] = {}
    for parcel in sorted(done.parcels, key=lambda parcel: (parcel.key, parcel.kind, parcel.rows)):
        by_part.setdefault(int(parcel.key[0]), {}).setdefault(parcel.kind, []).append(parcel)
    parts = []
    for _, kinds in sorted(by_part.items()):
        rows, base = tuple(kinds.get(PART_ROWS, ())), tuple(kinds.get(PART_BASE, ()))
        if rows or base:
            cases = sum(parcel.rows for parcel in rows or base)
            parts.append(Group(group.name, cases, rows, base, tuple(kinds.get(PART_SIGNALS, ()))))
    return Parts(tuple(parts), any(line["rings"] for line in done.results))


def in_parts(tasks: Tasks, group: Group, names: Sequence[str], max_cells: int) -> tuple[Group, ...]:
    """The group itself, or its parts if it is too big for one task."""
    if not is_too_big(group, names, max_cells):
        return (group,)
    return spread(tasks, group, parts_for(group, names, max_cells)).parts

"""Units of work: shards of tables, parcels between two jobs, and how they are packed into tasks."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

Item = TypeVar("Item")
Source = TypeVar("Source", "DataFile", "Parcel", "DataFile | Parcel")


@dataclass(frozen=True)
class DataFile:
    """A data file of a table: its address, what it holds, and the typed values of its partition columns.

    `schema` is the table's in Arrow's types, which says of what type a column is that the file lacks.
    """

    place: str
    size: int
    rows: int
    partition: Mapping[str, Any]
    path: str = ""  # in the table's log, relative to the table
    schema: pa.Schema | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Shard:
    """One partition of a table's files: the unit of work."""

    table: str
    partition: Mapping[str, Any]
    files: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        """How many rows its files hold."""
        return sum(file.rows for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Parcel:
    """Rows that one task puts down for a task of a later job: an Arrow file in the staging folder.

    `kind` says what they are, `key` which shard they belong to (JSON values only: text, whole numbers).
    """

    kind: str
    key: tuple[str | int, ...]
    place: str
    rows: int
    size: int


@dataclass(frozen=True)
class Written:
    """A data file that a task wrote for a table; it belongs to the table once a commit names it."""

    table: str
    place: str
    path: str  # relative to the table
    size: int
    rows: int
    partition: Mapping[str, str | None]  # as Delta's log spells values
    statistics: str


def batches(sources: Sequence[Source], rows: int) -> Iterator[list[Source]]:
    """Files or parcels in their order, some at a time: together of at most so many rows, or one by itself."""
    some: list[Source] = []
    for source in sources:
        if some and sum(one.rows for one in some) + source.rows > rows:
            yield some
            some = []
        some.append(source)
    if some:
        yield some


def pack(items: Sequence[Item], weight: Callable[[Item], int], tasks: int) -> list[list[Item]]:
    """At most `tasks` lists of about the same weight, the heaviest item first; each keeps the items' order.

    Longest processing time first (Graham 1969): at most a third longer than the best packing.
    """
    bins: list[tuple[int, int, list[int]]] = [(0, number, []) for number in range(min(tasks, len(items)))]
    for place in sorted(range(len(items)), key=lambda place: -weight(items[place])):
        load, number, mine = heapq.heappop(bins)
        mine.append(place)
        heapq.heappush(bins, (load + max(1, weight(items[place])), number, mine))
    return [[items[place] for place in sorted(mine)] for _, _, mine in sorted(bins, key=lambda one: one[1])]

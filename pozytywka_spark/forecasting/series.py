"""Silver tables -> `series_daily` and `series_monthly`; only of the months whose inputs have changed.

    built = build_series(settings, lake)

Three jobs, whatever the number of months: what events are counted by (users' cities, tracks), events to sums
of days, and those of all buckets together. What grows with users is read and counted in tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from pozytywka_spark.config import Settings
from pozytywka_spark.features.build.event_months import digest
from pozytywka_spark.features.build.survey import without_ids
from pozytywka_spark.forecasting.measures import Prices, Universe
from pozytywka_spark.forecasting.series_firsts import BOUGHT_BEFORE, NEW, FindFirsts, TrackFirsts, UserFirsts
from pozytywka_spark.forecasting.series_months import MonthItem, WriteMonths
from pozytywka_spark.forecasting.series_plan import Book, Inputs, look_at, write_books
from pozytywka_spark.forecasting.series_work import (
    ACTIVE,
    ACTIVE_MONTH,
    COUNTS,
    FIRSTS,
    NAMED,
    PLAYED,
    CountShards,
    EventShard,
    Names,
)
from pozytywka_spark.forecasting.sides import TRACKS, USERS, Catalogue, Compared, ReadSides, compare
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.months import start_micros
from pozytywka_spark.schemas import SERIES_DAILY, SERIES_MONTHLY, SERIES_TRACKS, SERIES_USERS

Key = TypeVar("Key")


@dataclass(frozen=True)
class Built:
    """The complete days `[first, end)` that `series_daily` has, the months made now, and how many series
    there are; `span`: the data in words."""

    first: date
    end: date
    months: tuple[date, ...]
    series: int
    span: str

    @property
    def unchanged(self) -> bool:
        """Whether there was nothing to do."""
        return not self.months

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.end - self.first).days


@dataclass(frozen=True)
class Sides:
    """What events are counted by: parcels of users by bucket and of tracks, and the names that both have."""

    users: Mapping[int, tuple[Parcel, ...]]
    tracks: tuple[Parcel, ...]
    names: Names


def build_series(settings: Settings, lake: Lake, *, full: bool = False) -> Built:
    """Bring the series up to date; `full`: as if there were none. Equal to a full build, exactly.

    Made are the months from the first whose events, days, users or tracks are others than when it was made.
    Every table is replaced in one commit, the record last: a build that breaks off is repeated. Raises
    `DataError` without events, or if no day is complete.
    """
    with lake.tasks() as tasks:
        inputs = look_at(settings, lake, tasks)
        whole = full or not inputs.before
        if not (whole or inputs.changed or inputs.moved):
            series = max((book.series for book in inputs.before.values()), default=0)
            return _built(inputs, (), series)
        sides = _read_sides(tasks, inputs)
        chosen = inputs.days.months if whole else _chosen(lake, tasks, inputs, sides)
        return _build(settings, lake, tasks, inputs, sides, chosen)


def _build(
    settings: Settings, lake: Lake, tasks: Tasks, inputs: Inputs, sides: Sides, chosen: tuple[date, ...]
) -> Built:
    counted = _count(tasks, inputs, sides, chosen)
    unknown = _unknown(counted, chosen)
    kept = {month: book for month, book in inputs.before.items() if month not in chosen}
    every = [*unknown.values(), *(book.unknown for book in kept.values())]
    known = Universe(sides.names.cities, sides.names.groups if inputs.grouped else None)
    universe = known.with_unknown(city=any(one for one, _ in every), group=any(one for _, one in every))
    name = digest(universe.cities, universe.groups)
    if any(book.universe != name for book in kept.values()):
        # a series that is new has rows of all days, and one that is gone has none
        return _build(settings, lake, tasks, inputs, sides, inputs.days.months)
    firsts = _find_firsts(lake, tasks, inputs, sides, counted, chosen)
    prices = Prices(settings.scoring.policy.value_of_sale, settings.simulation.costs.advert_income)
    work = WriteMonths(sides.names, universe, prices, sides.tracks)
    written = tasks.run(
        _month_items(inputs, counted, firsts, chosen),
        work,
        weight=lambda item: item.size,
        named=lambda item: f"series of {item.month:%Y-%m}",
    )
    books = {month: replace(book, sides=inputs.sides) for month, book in kept.items()}
    for month in chosen:
        books[month] = Book(
            inputs.chains[month], inputs.days_of(month), name, unknown[month], inputs.sides, universe.series
        )
    _commit(lake, inputs, chosen, (firsts, written), books)
    return _built(inputs, chosen, universe.series)


def _read_sides(tasks: Tasks, inputs: Inputs) -> Sides:
    catalogue = Catalogue(
        {name: files for name, files in inputs.files.items() if name != "users"}, inputs.grouped
    )
    items: list[DataFile | Catalogue] = [*inputs.files["users"], catalogue]
    done = tasks.run(
        items,
        ReadSides(inputs.buckets),
        weight=lambda item: item.size,
        named=lambda item: "the catalogue" if isinstance(item, Catalogue) else f"users in {item.place}",
    )
    cities = {city for line in done.results for city in line.get("cities", ())}
    groups = {group for line in done.results for group in line.get("groups", ())}
    users = _by(done.of(USERS), lambda parcel: int(parcel.key[0]))
    return Sides(users, tuple(done.of(TRACKS)), Names(tuple(sorted(cities)), tuple(sorted(groups))))


def _chosen(lake: Lake, tasks: Tasks, inputs: Inputs, sides: Sides) -> tuple[date, ...]:
    """From the first month on that has changed, or was counted by another city, duration, group or cost."""
    items = []
    if USERS in inputs.moved:
        counted = data_files(lake, tasks, SERIES_USERS.name)
        for bucket in range(inputs.buckets):
            mine = tuple(file for file in counted if file.partition["user_bucket"] == bucket)
            items.append(Compared(USERS, mine, sides.users.get(bucket, ())))
    if TRACKS in inputs.moved:
        items.append(Compared(TRACKS, data_files(lake, tasks, SERIES_TRACKS.name), sides.tracks))
    done = tasks.run(
        items, compare, weight=lambda item: item.size, named=lambda item: f"{item.kind} as they were counted"
    )
    others = [date.fromisoformat(line["month"]) for line in done.results if line["month"]]
    return inputs.since(min((*inputs.changed, *others), default=None))


def _count(tasks: Tasks, inputs: Inputs, sides: Sides, months: Sequence[date]) -> Done:
    shards = [
        EventShard(shard.partition["event_month"], bucket, shard.files, sides.users.get(bucket, ()))
        for shard in inputs.shards.of(list(months))
        for bucket in [shard.partition["user_bucket"]]
    ]
    since, until = start_micros(inputs.days.first), start_micros(inputs.days.end)
    return tasks.run(
        shards,
        CountShards(sides.tracks, sides.names, since, until),
        weight=lambda shard: without_ids(shard.size),
        named=lambda shard: f"events of {shard.month:%Y-%m}, bucket {shard.bucket}",
    )


def _unknown(counted: Done, months: Sequence[date]) -> dict[date, tuple[bool, bool]]:
    """By month whether a user has no city, and a track no group."""
    found = dict.fromkeys(months, (False, False))
    for line in counted.results:
        month = date.fromisoformat(line["month"])
        city, group = line["unknown"]
        found[month] = (found[month][0] or city, found[month][1] or group)
    return found


def _find_firsts(
    lake: Lake, tasks: Tasks, inputs: Inputs, sides: Sides, counted: Done, chosen: Sequence[date]
) -> Done:
    def before(table: str) -> tuple[DataFile, ...]:
        earlier = [{"month": month} for month in inputs.before if chosen and month < chosen[0]]
        return data_files(lake, tasks, table, partitions=earlier) if earlier else ()

    held = before(SERIES_USERS.name)
    items: list[UserFirsts | TrackFirsts] = [
        UserFirsts(
            bucket,
            tuple(file for file in held if file.partition["user_bucket"] == bucket),
            _by([one for one in counted.of(FIRSTS) if one.key[0] == bucket], lambda one: _month(one, 1)),
        )
        for bucket in range(inputs.buckets)
    ]
    named = _by(counted.of(NAMED), _month)
    items.append(TrackFirsts(before(SERIES_TRACKS.name), named))
    return tasks.run(
        items,
        FindFirsts(sides.names, sides.tracks),
        weight=lambda item: item.size,
        named=lambda item: f"firsts of bucket {item.bucket}" if isinstance(item, UserFirsts) else "tracks",
    )


def _month_items(inputs: Inputs, counted: Done, firsts: Done, chosen: Sequence[date]) -> list[MonthItem]:
    by_kind = {kind: _by(counted.of(kind), _month) for kind in (COUNTS, ACTIVE, ACTIVE_MONTH, PLAYED)}
    by_kind[NEW] = _by(firsts.of(NEW), _month)
    return [
        MonthItem(
            month,
            *inputs.days.of(month),
            inputs.days.is_whole(month),
            {
                **{kind: by_month.get(month, ()) for kind, by_month in by_kind.items()},
                BOUGHT_BEFORE: tuple(firsts.of(BOUGHT_BEFORE)),
            },
            tuple(one for each, mine in by_kind[NEW].items() if each < month for one in mine),
        )
        for month in chosen
    ]


def _commit(
    lake: Lake, inputs: Inputs, chosen: Sequence[date], done: Sequence[Done], books: Mapping[date, Book]
) -> None:
    """A table in one commit, the record last. First it forgets the months that are replaced: a build that
    breaks off, and inputs that are then taken back, must not find its rows and call them made."""
    staying = {month: book for month, book in inputs.before.items() if month not in chosen}
    if len(staying) < len(inputs.before):
        write_books(lake, staying)
    whole = len(chosen) == len(inputs.days.months)
    for table in (SERIES_USERS, SERIES_TRACKS, SERIES_DAILY, SERIES_MONTHLY) if chosen else ():
        files = [file for each in done for file in each.written if file.table == table.name]
        if whole:
            lake.overwrite(files, table)
        else:
            lake.replace_partitions(files, table, [{"month": month} for month in chosen])
    write_books(lake, books)


def _built(inputs: Inputs, months: tuple[date, ...], series: int) -> Built:
    return Built(inputs.days.first, inputs.days.end, months, series, inputs.span.described())


def _month(parcel: Parcel, place: int = 0) -> date:
    return date.fromisoformat(str(parcel.key[place]))


def _by(parcels: Sequence[Parcel], key: Callable[[Parcel], Key]) -> dict[Key, tuple[Parcel, ...]]:
    found: dict[Key, tuple[Parcel, ...]] = {}
    for parcel in parcels:
        found[key(parcel)] = (*found.get(key(parcel), ()), parcel)
    return found

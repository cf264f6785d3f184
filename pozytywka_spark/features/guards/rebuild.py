"""Features made again in other worlds: a job invents futures, one measures months, one compares slices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pozytywka_spark.features.build.items import MonthShard, Source, UserSlice, slices_for
from pozytywka_spark.features.build.parcels import BOUGHT, PLAYED
from pozytywka_spark.features.build.passes import user_slices
from pozytywka_spark.features.build.second_pass import MeasureMonths
from pozytywka_spark.features.guards.build_under_guard import GuardedBuild
from pozytywka_spark.features.guards.compare_slices import CompareSlices, Maker, Plays, SliceInWorld
from pozytywka_spark.features.guards.invent import INVENTED, SAMPLED, InventFutures, PastShard
from pozytywka_spark.features.guards.sample import Sample, SliceName
from pozytywka_spark.features.guards.worlds import World
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard
from pozytywka_spark.lake.tasks import Done, Work

Bought = Mapping[str, tuple[Source, ...]]  # by world
Measure = Callable[[GuardedBuild, Bought, int], Work[MonthShard]]


def measure_months(build: GuardedBuild, bought: Bought, slices: int) -> Work[MonthShard]:
    """The build's second pass; users go in so many slices."""
    return MeasureMonths(build.plan, build.tracks, build.users, bought, slices, build.buckets)


@dataclass(frozen=True)
class Rebuild:
    """The three jobs over all the worlds."""

    build: GuardedBuild
    worlds: tuple[World, ...]
    sample: Sample
    seed: int
    written: Mapping[SliceName, tuple[DataFile, ...]]

    @property
    def slices(self) -> int:
        """Slices of each bucket's users: those of the files; of a sample's few, as many as they need."""
        if self.sample.whole:
            return self.build.slices
        build = self.build
        few = slices_for(
            build.rows // self.sample.parts, build.buckets, build.tasks.slots, build.plan.columns
        )
        return few | 1  # odd: of an even number, every other one would have none of them

    def invent(self) -> Done:
        """Job one: the futures of the scrambled worlds; of a sample, its users' events too."""
        items = []
        for shard in self.build.events:
            month, bucket = _month_and_bucket(shard)
            worlds = tuple(world for world in self.worlds if world.looks_back_to(month))
            if worlds or (not self.sample.whole and self._is_past(month)):
                items.append(PastShard(month, bucket, shard.files, worlds))
        return self.build.tasks.run(
            items,
            InventFutures(self.sample, self.seed),
            weight=lambda item: item.size,
            named=lambda item: f"a future from events of {item.month:%Y-%m}, bucket {item.bucket}",
        )

    def measure(self, invented: Done, measure: Measure) -> Done:
        """Job two: the past's months once for all the worlds that share them, then the futures.

        No leak can hide in what is shared: those events are before every cut-off in question. What tells the
        worlds apart is who has bought, and of that each is given its own: nothing that was bought from its
        cut-off on, but what its future invents.
        """
        items = [*self._past(invented), *self._futures(invented)]
        work = measure(self.build, self._bought(invented), self.slices)
        return self.build.tasks.run(
            items,
            work,
            weight=lambda item: item.size,
            named=lambda item: (
                f"events of {item.month:%Y-%m}, bucket {item.bucket} ({', '.join(item.worlds)})"
            ),
        )

    def compare(self, measured: Done, maker: type[Maker]) -> Done:
        """Job three: features of each slice in each world beside what was written."""
        everyones = () if self.sample.whole else self.build.played
        plays = Plays(self.build.plays, _by_world(measured.of(PLAYED)), everyones)
        made = maker(self.build.tracks, plays, self.build.plan, self.build.favourite_groups)
        work = CompareSlices(made, self.build.order, self.sample, self.slices)
        return self.build.tasks.run(
            self._slices(measured),
            work,
            weight=lambda item: item.size,
            named=lambda item: f"slice {item.users.number} of bucket {item.users.bucket}, {item.world.name}",
        )

    def _past(self, invented: Done) -> list[MonthShard]:
        items: list[tuple[date, int, tuple[Source, ...]]]
        if self.sample.whole:
            items = [(*_month_and_bucket(shard), shard.files) for shard in self.build.events]
        else:
            items = _by_shard(invented.of(SAMPLED))
        return [
            MonthShard(worlds, month, bucket, events)
            for month, bucket, events in items
            if (worlds := tuple(world.name for world in self.worlds if world.knows(month)))
        ]

    def _futures(self, invented: Done) -> list[MonthShard]:
        return [
            MonthShard((world,), month, bucket, events)
            for world, parcels in _by_world(invented.of(INVENTED)).items()
            for month, bucket, events in _by_shard(parcels)
        ]

    def _bought(self, invented: Done) -> dict[str, tuple[Source, ...]]:
        future = _by_world(invented.of(BOUGHT))
        sources: dict[str, tuple[Source, ...]] = {}
        for world in self.worlds:
            past = [one for month, many in self.build.bought.items() if world.knows(month) for one in many]
            sources[world.name] = (*past, *future.get(world.name, ()))
        return sources

    def _slices(self, measured: Done) -> list[SliceInWorld]:
        """Every slice in every world: those that were written as well, were there nothing of them in it."""
        items = []
        for world in self.worlds:
            lived = user_slices(measured.parcels, self.build.held, world.name, self.build.texts)
            names = {(users.bucket, users.number) for users in lived}
            gone = [
                UserSlice(world.name, *name, (), (), ()) for name in sorted(self._slices_written() - names)
            ]
            for users in (*lived, *gone):
                files = self._files(world, (users.bucket, users.number))
                items.append(SliceInWorld(world, users, self._months(world), files))
        return items

    def _months(self, world: World) -> tuple[date, ...]:
        return (*(month for month in self.build.months if world.knows(month)), *world.months)

    def _files(self, world: World, name: SliceName) -> tuple[DataFile, ...]:
        if self.sample.whole:
            files = self.written.get(name, ())
        else:
            slices = self.build.slices
            files = tuple(
                file
                for (bucket, each), mine in self.written.items()
                if bucket == name[0] and self.sample.touches(each, slices)
                for file in mine
            )
        past = (file for file in files if world.knows(file.partition["month"]))
        return tuple(sorted(past, key=lambda file: file.partition["month"]))  # as the kernel orders its rows

    def _slices_written(self) -> set[SliceName]:
        """Slices that must be compared, were there nothing of them in the world."""
        if self.sample.whole:
            return set(self.written)
        buckets = {bucket for bucket, _ in self.written}
        return {(bucket, number) for bucket in buckets for number in range(self.slices)}

    def _is_past(self, month: date) -> bool:
        return any(world.knows(month) for world in self.worlds)


def _month_and_bucket(shard: Shard) -> tuple[date, int]:
    return shard.partition["event_month"], int(shard.partition["user_bucket"])


def _by_world(parcels: Sequence[Parcel]) -> dict[str, tuple[Parcel, ...]]:
    """Parcels whose key begins with a world."""
    by_world: dict[str, list[Parcel]] = defaultdict(list)
    for parcel in parcels:
        by_world[str(parcel.key[0])].append(parcel)
    return {world: tuple(mine) for world, mine in by_world.items()}


def _by_shard(parcels: Sequence[Parcel]) -> list[tuple[date, int, tuple[Source, ...]]]:
    """Parcels whose key ends with a month and a bucket."""
    by_shard: dict[tuple[str, int], list[Parcel]] = defaultdict(list)
    for parcel in parcels:
        by_shard[str(parcel.key[-2]), int(parcel.key[-1])].append(parcel)
    return [(date.fromisoformat(month), bucket, tuple(mine)) for (month, bucket), mine in by_shard.items()]

"""Features made again in other worlds: a job invents futures, one measures months, one compares slices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pozytywka_spark.features.build.items import REAL, MonthShard, Source, UserSlice, slices_for
from pozytywka_spark.features.build.parcels import BOUGHT, PLAYED
from pozytywka_spark.features.build.passes import user_slices
from pozytywka_spark.features.build.second_pass import AS_BUILT, MeasureMonths
from pozytywka_spark.features.guards.build_under_guard import GuardedBuild
from pozytywka_spark.features.guards.compare_slices import (
    CompareSlices,
    Maker,
    Plays,
    SliceInWorld,
    SliceInWorlds,
)
from pozytywka_spark.features.guards.invent import INVENTED, SAMPLED, InventFutures, PastShard
from pozytywka_spark.features.guards.sample import Sample, SliceName
from pozytywka_spark.features.guards.worlds import World
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard
from pozytywka_spark.lake.tasks import Done, Work

Bought = Mapping[str, tuple[Source, ...]]  # by world
Months = Mapping[str, date]  # by world
Measure = Callable[[GuardedBuild, Bought, int], Work[MonthShard]]


def measure_months(build: GuardedBuild, bought: Bought, slices: int) -> Work[MonthShard]:
    """The build's second pass; users go in so many slices."""
    return MeasureMonths(build.plan, build.tracks, build.users, bought, slices, build.buckets)


@dataclass(frozen=True)
class Measured:
    """What the second pass put down for the worlds; of the real world each has the months before
    `lent_until`."""

    done: Done
    lent_until: Months


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

    def measure(self, invented: Done, measure: Measure) -> Measured:
        """Job two: the past's months once for all the worlds that share them, and the futures.

        A month's pass is given its events and who has bought. No leak can hide in the events that worlds
        share: those are before every cut-off in question. Of purchases each world is given its own: nothing
        that was bought from its cut-off on, but what its future invents. If the pass finds the same buyers in
        all months as in the build, it has of each what it had then, and what it put down then is taken. Not
        so of the last month before a cut-off, from which a pass that sees beyond a month's end would see what
        is invented: that one is measured again.
        """
        if self.build.measured and self.sample.whole:  # a sample's slices are others than the build's
            until = {world.name: world.month for world in self.worlds}
            measured = self._measure(invented, measure, until)
            lent = [item for item in self._past(invented, until) if item.as_built]
            if _as_built(measured.done) == {
                (world, item.month, item.bucket) for item in lent for world in item.worlds
            }:
                return measured
        return self._measure(invented, measure, {})

    def _measure(self, invented: Done, measure: Measure, lent_until: Months) -> Measured:
        items = [*self._past(invented, lent_until), *self._futures(invented)]
        work = measure(self.build, self._bought(invented), self.slices)
        done = self.build.tasks.run(
            items,
            work,
            weight=lambda item: 0 if item.as_built else item.size,
            named=lambda item: (
                f"events of {item.month:%Y-%m}, bucket {item.bucket} ({', '.join(item.worlds)})"
            ),
        )
        return Measured(done, lent_until)

    def compare(self, measured: Measured, maker: type[Maker]) -> Done:
        """Job three: features of each slice in each world beside what was written."""
        lent_until = measured.lent_until
        if not self.sample.whole:
            lent_until = {world.name: world.month for world in self.worlds}
        everyones = self.build.played if lent_until else ()
        plays = Plays(self.build.plays, _by_world(measured.done.of(PLAYED)), everyones, lent_until)
        made = maker(self.build.tracks, plays, self.build.plan, self.build.favourite_groups)
        work = CompareSlices(made, self.build.order, self.sample, self.slices)
        return self.build.tasks.run(
            self._slices(measured),
            work,
            weight=lambda item: item.size,
            named=lambda item: (
                f"slice {item.name[1]} of bucket {item.name[0]}, "
                + " and ".join(each.world.name for each in item.worlds)
            ),
        )

    def _past(self, invented: Done, lent_until: Months) -> list[MonthShard]:
        """The past's shards: apart, for the worlds that are lent their month and for those that aren't."""
        items: list[tuple[date, int, tuple[Source, ...]]]
        if self.sample.whole:
            items = [(*_month_and_bucket(shard), shard.files) for shard in self.build.events]
        else:
            items = _by_shard(invented.of(SAMPLED))
        return [
            MonthShard(worlds, month, bucket, events, as_built)
            for month, bucket, events in items
            for as_built in (False, True)
            if (
                worlds := tuple(
                    world.name
                    for world in self.worlds
                    if world.knows(month) and as_built == (month < lent_until.get(world.name, month))
                )
            )
        ]

    def _futures(self, invented: Done) -> list[MonthShard]:
        return [
            MonthShard((world,), month, bucket, events)
            for world, parcels in _by_world(invented.of(INVENTED)).items()
            for month, bucket, events in _by_shard(parcels)
        ]

    def _bought(self, invented: Done) -> dict[str, tuple[Source, ...]]:
        future = _by_world(invented.of(BOUGHT))
        sources: dict[str, tuple[Source, ...]] = {
            REAL: tuple(one for many in self.build.bought.values() for one in many)
        }
        for world in self.worlds:
            past = [one for month, many in self.build.bought.items() if world.knows(month) for one in many]
            sources[world.name] = (*past, *future.get(world.name, ()))
        return sources

    def _slices(self, measured: Measured) -> list[SliceInWorlds]:
        """Every slice in every world: those that were written as well, were there nothing of them in it."""
        by_name: dict[SliceName, list[SliceInWorld]] = defaultdict(list)
        for world in self.worlds:
            lived = self._lived(measured, world)
            names = {(users.bucket, users.number) for users in lived}
            gone = [
                UserSlice(world.name, *name, (), (), ()) for name in sorted(self._slices_written() - names)
            ]
            for users in (*lived, *gone):
                by_name[users.bucket, users.number].append(SliceInWorld(world, users, self._months(world)))
        return [
            SliceInWorlds(tuple(mine), self._files(self.worlds[-1], name)) for name, mine in by_name.items()
        ]

    def _lived(self, measured: Measured, world: World) -> list[UserSlice]:
        """The slices of users that have events in the world, with what is lent of the real one."""
        texts, held = self.build.texts, self.build.held
        own = user_slices(measured.done.parcels, held, world.name, texts)
        if world.name not in measured.lent_until:
            return own
        by_name = {(users.bucket, users.number): users for users in own}
        for real in user_slices(self.build.measured, held, texts=texts):
            mine = by_name.get((real.bucket, real.number), replace(real, measured=(), listened=(), liked=()))
            by_name[real.bucket, real.number] = replace(
                mine,
                world=world.name,
                measured=(*real.measured, *mine.measured),
                listened=(*real.listened, *mine.listened),
                liked=(*real.liked, *mine.liked),
                lent_until=measured.lent_until[world.name],
            )
        return [users for _, users in sorted(by_name.items())]

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


def _as_built(measured: Done) -> set[tuple[str, date, int]]:
    """Worlds, months and buckets in which a pass would be given what it was given in the build."""
    return {
        (world, date.fromisoformat(facts["month"]), int(facts["bucket"]))
        for facts in measured.results
        for world in facts.get(AS_BUILT, ())
    }


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

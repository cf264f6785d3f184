"""Users' features made again in another world by the build's own kernel, beside those that were written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from pozytywka_spark.features.build.items import Source, UserSlice
from pozytywka_spark.features.build.lookups import Lookups, lookups_of
from pozytywka_spark.features.build.slice_files import in_part, slice_rows
from pozytywka_spark.features.build.third_pass import parts_of
from pozytywka_spark.features.build.user_kernel import SliceRows, make_features
from pozytywka_spark.features.guards.compare import KEYS, differences
from pozytywka_spark.features.guards.invent import texts_in
from pozytywka_spark.features.guards.sample import Sample, SliceName
from pozytywka_spark.features.guards.worlds import World
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import DataFile, Parcel, batches
from pozytywka_spark.lake.tasks import TaskFiles

if TYPE_CHECKING:
    from pozytywka_spark.features.build.plan import CataloguePlan

WORLD, USERS, DIFFERENT = "world", "users", "different"  # what is told
_AT_ONCE = 50_000  # rows of written files that are read together
Months = Sequence[date]
MakeSlice = Callable[[UserSlice, Months, int, int], pl.DataFrame]  # features of a part of so many of a slice


@dataclass(frozen=True)
class SliceInWorld:
    """A slice of users in a world, and the months to make."""

    world: World
    users: UserSlice
    months: tuple[date, ...]


@dataclass(frozen=True)
class SliceInWorlds:
    """A slice of users in all worlds, and the files, by month, that hold its features as written."""

    worlds: tuple[SliceInWorld, ...]
    written: tuple[DataFile, ...]

    @property
    def name(self) -> SliceName:
        """The bucket and the number of the slice."""
        users = self.worlds[0].users
        return users.bucket, users.number

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(each.users.size for each in self.worlds) + sum(file.size for file in self.written)


@dataclass(frozen=True)
class Plays:
    """Plays by track and month: of the months before the build's as `held`; in each world as `played`.

    `everyones` are as the build put them down, of all its months. Of those each world has the months before
    `lent_until`, the rest is its own. In a sample that is all of the past: the sample's own would be too few.
    """

    held: tuple[DataFile, ...]
    played: Mapping[str, tuple[Parcel, ...]]
    everyones: tuple[Parcel, ...] = ()
    lent_until: Mapping[str, date] = field(default_factory=dict)

    def sides(self, made: Callable[[Sequence[Source]], Lookups], world: World) -> Lookups:
        """What slices share in a world; `made` of plays."""
        own = self.played.get(world.name, ())
        if not self.everyones:
            return made((*self.held, *own))
        past = made((*self.held, *self.everyones))
        future = made(own)  # and of the past what isn't lent
        early = pl.col("month") < self.lent_until[world.name]
        return replace(past, played=pl.concat([past.played.filter(early), future.played.filter(~early)]))


@dataclass(frozen=True)
class Maker:
    """How features are made in a world: the build's third pass, of which tests have leaky ones."""

    tracks: Parcel | None
    plays: Plays
    plan: CataloguePlan
    favourite_groups: Parcel | None = None

    def within(self, world: World, files: TaskFiles) -> MakeSlice:
        """What makes each slice's features in the world; what slices share is made once."""

        def made(plays: Sequence[Source]) -> Lookups:
            return lookups_of(
                self.tracks, plays, files, grouped=self.plan.grouped, fond=self.favourite_groups
            )

        sides = self.plays.sides(made, world)

        def make(users: UserSlice, months: Months, part: int, parts: int) -> pl.DataFrame:
            rows = slice_rows(users, files, self.plan, sides, part, parts)
            return self.features(replace(rows, texts=texts_in(world, rows.texts)), sides, months)

        return make

    def features(self, rows: SliceRows, sides: Lookups, months: Months) -> pl.DataFrame:
        """A row of table `features` per user of the slice and month."""
        return make_features(rows, sides, self.plan, months)


@dataclass(frozen=True)
class CompareSlices:
    """Work on `SliceInWorlds`: tells of each world which features differ, with the first row where they do.

    The kernel is given the months of the invented future too, as it was given later months in the build:
    else it couldn't look ahead. `slices`: how many each bucket's users go in.
    """

    maker: Maker
    features: tuple[str, ...]
    sample: Sample
    slices: int

    def __call__(self, items: Sequence[SliceInWorlds], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each slice in each world."""
        worlds = sorted({each.world for item in items for each in item.worlds})
        makes = {world: self.maker.within(world, files) for world in worlds}
        for item in items:
            parts = max(parts_of(each.users, self.maker.plan.columns) for each in item.worlds)
            for part in range(parts):
                whole = self._written(item, in_part(part, parts), files)
                for each in item.worlds:
                    is_past = pl.col("month") < each.world.cut_off
                    again = makes[each.world](each.users, each.months, part, parts).filter(is_past)
                    written = (
                        again.select(whole.columns).clear() if whole.is_empty() else whole.filter(is_past)
                    )
                    differing = differences(written, again, self.features)
                    yield {
                        WORLD: each.world.name,
                        USERS: written.get_column("user_id").n_unique(),
                        DIFFERENT: [[name, f"{month}", user] for name, month, user in differing],
                    }

    def _written(self, item: SliceInWorlds, in_part: pl.Expr, files: TaskFiles) -> pl.DataFrame:
        names, (bucket, number), buckets = [*KEYS, *self.features], item.name, self.sample.buckets
        mine = (user_bucket(pl.col("user_id"), buckets) == bucket) & (
            slice_of("user_id", self.slices, apart_from=buckets) == number
        )
        # some files at a time, so that no more of other slices' rows is held
        read = [
            self.sample.of(files.read(some, names).filter(mine & in_part))
            for some in batches(item.written, _AT_ONCE)
        ]
        return pl.concat(read) if read else pl.DataFrame(schema=names)

"""Job one, with what else has to be read once: events of files that note nothing of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.features.build.first_pass import CatalogueTables, FirstPass, TableContents
from pozytywka_spark.features.build.items import REAL
from pozytywka_spark.features.build.parcels import BOUGHT, FAVOURITE_GROUPS, TEXTS, TRACKS, USERS
from pozytywka_spark.features.build.purchases import BoughtIn
from pozytywka_spark.features.build.survey import PLACE, TOLD, survey, without_ids
from pozytywka_spark.features.build.texts import TextsIn, contents_told, put_down
from pozytywka_spark.lake.event_notes import EventNote, as_note
from pozytywka_spark.lake.shards import DataFile, Parcel, Shard, Written
from pozytywka_spark.lake.tasks import Done, TaskFiles, Tasks

FirstItem = BoughtIn | CatalogueTables | TableContents | TextsIn | DataFile


@dataclass(frozen=True)
class FirstJob:
    """Work on what `FirstPass` works on, on signals of texts, and on data files of events for a `survey`."""

    def __call__(self, items: Sequence[FirstItem], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Facts of each item."""
        for item in items:
            if isinstance(item, DataFile):
                yield from survey([item], files)
            elif isinstance(item, TextsIn):
                yield put_down(item, files)
            else:
                yield from FirstPass()([item], files)


@dataclass(frozen=True)
class FirstFound:
    """What came of it: notes by the places of files, purchases by month, the dimensions (None: not asked for,
    or of no row), parcels TEXTS by bucket, and the digests of the catalogue tables' rows (none: not asked
    for) and of the months of texts that were read.
    """

    notes: Mapping[str, EventNote]
    bought: Mapping[date, tuple[Parcel, ...]]
    written: tuple[Written, ...]
    tracks: Parcel | None
    users: Parcel | None
    favourite_groups: Parcel | None
    contents: Mapping[str, str]
    texts: Mapping[int, tuple[Parcel, ...]]


def run_first(
    tasks: Tasks,
    shards: Sequence[Shard],
    unnoted: Iterable[DataFile],
    catalogue: CatalogueTables | None,
    texts: Sequence[TextsIn] = (),
    *,
    contents: bool,
) -> FirstFound:
    """Purchases in the shards, notes of the files that have none, the catalogue if it is given, and texts;
    with `contents`, digests of the catalogue tables' rows.
    """
    bought = [
        BoughtIn(shard.partition["event_month"], shard.partition["user_bucket"], shard.files)
        for shard in shards
    ]
    numbered: list[FirstItem] = [catalogue] if catalogue else []
    if catalogue and contents:
        numbered += [TableContents(name, of_table) for name, of_table in catalogue.there.items()]
    items = [*numbered, *texts, *bought, *unnoted]
    return _found(tasks.run(items, FirstJob(), weight=_weight, named=_named))


def _found(done: Done) -> FirstFound:
    bought: dict[date, tuple[Parcel, ...]] = {}
    for parcel in done.of(BOUGHT):
        world, month = parcel.key
        assert world == REAL
        day = date.fromisoformat(str(month))
        bought[day] = (*bought.get(day, ()), parcel)
    dimensions = {kind: next(iter(done.of(kind)), None) for kind in (TRACKS, USERS, FAVOURITE_GROUPS)}
    return FirstFound(
        {result[PLACE]: as_note(result[TOLD]) for result in done.results if PLACE in result},
        bought,
        done.written,
        dimensions[TRACKS],
        dimensions[USERS],
        dimensions[FAVOURITE_GROUPS],
        {result["table"]: result["digest"] for result in done.results if "digest" in result}
        | contents_told(done.results),
        _by_bucket(done.of(TEXTS)),
    )


def _by_bucket(texts: Sequence[Parcel]) -> dict[int, tuple[Parcel, ...]]:
    """In order of months, so that a slice's rows come in the same order in every build."""
    found: dict[int, tuple[Parcel, ...]] = {}
    for parcel in sorted(texts, key=lambda parcel: str(parcel.key[0])):
        bucket = int(parcel.key[1])
        found[bucket] = (*found.get(bucket, ()), parcel)
    return found


def _weight(item: FirstItem) -> int:
    return without_ids(item.size) if isinstance(item, BoughtIn) else item.size


def _named(item: FirstItem) -> str:
    if isinstance(item, DataFile):
        return f"events in {item.place}"
    if isinstance(item, BoughtIn):
        return f"purchases of {item.month:%Y-%m}, bucket {item.bucket}"
    if isinstance(item, TextsIn):
        return f"texts of {item.month:%Y-%m}"
    return f"the rows of {item.name}" if isinstance(item, TableContents) else "the catalogue"

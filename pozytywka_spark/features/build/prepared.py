"""The plan of a run: which months are built, from what, after the first job has read what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.features.build.event_months import EventShards, MonthEvents
from pozytywka_spark.features.build.first_job import FirstFound, run_first
from pozytywka_spark.features.build.first_pass import CatalogueTables
from pozytywka_spark.features.build.items import Source
from pozytywka_spark.features.build.lake_state import Look
from pozytywka_spark.features.build.staleness import Inputs, choose_months, inputs_of
from pozytywka_spark.features.build.state_tables import Known, TableState
from pozytywka_spark.features.build.texts import READ, SIGNALS, Queues, TextsIn, month_of
from pozytywka_spark.features.declared.declaration import Feature, measures_of
from pozytywka_spark.features.declared.texts import MOST_MONTHS
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.event_days import FEATURES, is_moved
from pozytywka_spark.lake.layout import buckets_of
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import month_after
from pozytywka_spark.schemas import FIRST_PURCHASES


@dataclass(frozen=True)
class Asked:
    """What the caller wants: features of a catalogue of that hash, of months between two or of all months."""

    features: tuple[Feature, ...]
    catalogue: str
    months: tuple[date, date] | None
    full: bool


@dataclass(frozen=True)
class Prepared:
    """What the first job leaves to be done.

    `events`: of every month with files; those `scanned` were looked through for purchases, those `changed`
    are others than they were. `chosen` months are built, `whole` if they are all there are, `because` of
    something else than their inputs; `full`: all is asked for. Of months `relabelled`, which aren't built,
    labels may be others.
    """

    look: Look
    first: FirstFound
    events: Mapping[date, MonthEvents]
    inputs: Inputs
    chosen: tuple[date, ...]
    whole: bool
    changed: tuple[date, ...]
    relabelled: tuple[date, ...]
    scanned: tuple[date, ...]
    full: bool
    buckets: int
    because: str | None

    @property
    def shards(self) -> EventShards:
        """The lake's events."""
        return self.look.shards

    @property
    def catalogue(self) -> dict[str, TableState]:
        """The state of each catalogue table."""
        contents = self.look.known.contents(self.look.catalogue) | dict(self.first.contents)
        return {name: TableState(files, contents[name]) for name, files in self.look.catalogue.items()}

    def bought(self, lake: Lake, tasks: Tasks) -> dict[date, tuple[Source, ...]]:
        """First purchases by month: as the first job put them down, or as they are held since before."""
        sources: dict[date, tuple[Source, ...]] = {
            month: self.first.bought.get(month, ()) for month in self.scanned
        }
        partitions = [{"month": month} for month in self.events if month not in sources]
        for shard in lake.shards(FIRST_PURCHASES.name, tasks, partitions) if partitions else []:
            month = shard.partition["month"]
            sources[month] = (*sources.get(month, ()), *shard.files)
        return sources


def prepare(lake: Lake, tasks: Tasks, settings: Settings, look: Look, asked: Asked) -> Prepared:
    """Run the first job over what is new, choose months.

    Raises `DataError` as `inputs_of` and `choose_months`.
    """
    known, months = look.known, look.events({})
    why_all = _why_all(lake, known, asked)
    scanned = list(look.files) if asked.full else look.changed(months)
    catalogue, texts = None, list[TextsIn]()
    # known before anything is read, unless the catalogue's tables are new or a file doesn't tell its events
    certain = not (look.catalogue_may_differ or look.unnoted)
    expected = (
        _choose(months, known.contents(look.catalogue), settings, known, asked, why_all)[1] if certain else []
    )
    if not certain or expected:
        catalogue = _catalogue_tables(lake, tasks, look)
        since = month_after(expected[0], 1 - MOST_MONTHS) if expected else date.min
        texts = _texts_in(lake, tasks, look, Queues.of(settings.feedback), since)
    first = run_first(
        tasks, look.shards.of(scanned), look.unnoted, catalogue, texts, contents=look.catalogue_may_differ
    )
    events = look.events(first.notes)
    contents = known.contents(look.catalogue) | dict(first.contents)
    inputs, chosen, because = _choose(events, contents, settings, known, asked, why_all)
    changed = look.changed(events)
    relabelled = [
        each.month for each in inputs.months if each.month in known.built and each.month not in chosen
    ]
    if not _labels_may_differ(lake, settings, look, inputs, first, changed, relabelled):
        relabelled = []
    return Prepared(
        look=look,
        first=first,
        events=events,
        inputs=inputs,
        chosen=tuple(chosen),
        whole=len(chosen) == len(inputs.months) or not known.built,
        changed=tuple(changed),
        relabelled=tuple(relabelled),
        scanned=tuple(scanned),
        full=asked.full,
        buckets=buckets_of(lake),
        because=because,
    )


def _choose(
    events: Mapping[date, MonthEvents],
    contents: Mapping[str, str],
    settings: Settings,
    known: Known,
    asked: Asked,
    why_all: str | None,
) -> tuple[Inputs, list[date], str | None]:
    """The inputs, the months to build, and why they are all of them although that isn't asked for."""
    inputs = inputs_of(list(events.values()), asked.catalogue, contents, settings.data)
    chosen = choose_months(inputs.months, known.built, asked.months, full=asked.full)
    every = [each.month for each in inputs.months]
    gone = sorted(set(known.built) - set(every))
    if gone and not asked.full:
        return (
            inputs,
            every,
            f"{gone[0]:%Y-%m} is none of the data's any more: all months are built",
        )
    if why_all is None or not (known.older or (chosen and chosen != every)):
        return inputs, chosen, None
    return inputs, every, f"{why_all}: all months are built"


def _why_all(lake: Lake, known: Known, asked: Asked) -> str | None:
    """Why tables can't be rewritten for some of their months, None if they can."""
    if known.older:
        return "the tables of features are of an older form"
    buckets = buckets_of(lake)
    if known.buckets not in (None, buckets):
        return f"events lie in {buckets} buckets of users, features in {known.buckets}"
    measures = [measure.name for measure in measures_of(asked.features)]
    tables = {
        "features": schemas.features_table([feature.name for feature in asked.features]),
        "measures": schemas.user_month_table(measures),
    }
    for what, table in tables.items():
        schema = lake.schema(table.name)
        if schema is not None and set(schema.names) != set(table.columns):
            return f"the table of {what} has other columns than the catalogue"
    return None


def _labels_may_differ(
    lake: Lake,
    settings: Settings,
    look: Look,
    inputs: Inputs,
    first: FirstFound,
    changed: Sequence[date],
    months: Sequence[date],
) -> bool:
    """Whether labels of months that aren't built may be others than they are in the lake.

    A purchase in any month, or a later end of the data, changes labels of earlier ones. Compared is with what
    the last finished run has recorded, so that a run that was cut short is made good.
    """
    schema = lake.schema("labels")
    declared = schemas.labels_table(settings.label.horizon_column)
    return (
        schema is None
        or not set(declared.columns) <= set(schema.names)
        or any(month not in look.known.labels for month in months)
        or bool(look.gone)
        or is_moved(lake, inputs.span, FEATURES)
        or any(month in look.known.events or first.bought.get(month) for month in changed)
    )


def _catalogue_tables(lake: Lake, tasks: Tasks, look: Look) -> CatalogueTables:
    files = {
        name: tuple(file for shard in lake.shards(name, tasks) for file in shard.files)
        for name in look.catalogue
        if month_of(name) is None
    }
    return CatalogueTables(**files)


def _texts_in(lake: Lake, tasks: Tasks, look: Look, queues: Queues, since: date) -> list[TextsIn]:
    """Signals of the months from `since` on, a month a piece of work."""
    months = [month for name in look.catalogue if (month := month_of(name)) is not None and month >= since]
    files: dict[date, tuple[DataFile, ...]] = {}
    partitions = [{"feedback_month": month} for month in sorted(months)]
    for shard in lake.shards(SIGNALS, tasks, partitions, READ) if partitions else []:
        month = shard.partition["feedback_month"]
        files[month] = (*files.get(month, ()), *shard.files)
    return [TextsIn(month, files[month], queues, buckets_of(lake)) for month in sorted(files)]

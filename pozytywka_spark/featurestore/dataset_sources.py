"""Which views a data set reads, of which versions of their tables, and in which parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from pozytywka_spark.errors import DataError, LakeError, UsageError
from pozytywka_spark.featurestore.asof import STATUS
from pozytywka_spark.featurestore.dataset_work import Source, ViewPart
from pozytywka_spark.featurestore.manifest import Recipe, ViewRead
from pozytywka_spark.featurestore.rows import KNOWN_AT, MONTH, VERSION, Reading, needed
from pozytywka_spark.featurestore.views import Declared, View
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.months import month_after, months_between

NOTES = (KNOWN_AT, STATUS, VERSION)
_TRAILING_MONTHS = 12


@dataclass(frozen=True)
class Choice:
    """A view and those of its columns that are asked for, in the order asked for."""

    view: View
    columns: tuple[str, ...]

    @property
    def definition(self) -> str:
        """Names what decides the values of these columns, but for the table's rows."""
        chosen = tuple(each for each in self.view.columns if each.name in self.columns)
        return replace(self.view, columns=chosen).definition(self.view.ttl_days, self.view.kind)


def choices_of(declared: Declared, views: Sequence[str], service: str | None) -> tuple[Choice, ...]:
    """Whole views by name, or what a service reads. Raises `UsageError` for a name that is none."""
    if service is not None:
        parts = declared.service(service).parts
        return tuple(Choice(declared.view(part.view), part.columns) for part in parts)
    chosen = (declared.view(name) for name in dict.fromkeys(views))
    return tuple(Choice(view, view.names) for view in chosen)


def check_snapshots(choices: Sequence[Choice], *, allowed: bool) -> None:
    """Raise `UsageError` naming a view that holds the present, unless that is `allowed`."""
    present = [each.view.name for each in choices if each.view.kind == "snapshot"]
    if present and not allowed:
        raise UsageError(
            f"view {present[0]} is a snapshot: it has the values of today, which nobody knew at an earlier "
            "as_of; take them all the same with --allow-snapshot"
        )


def check_names(choices: Sequence[Choice], spine: Sequence[str]) -> None:
    """Raise `UsageError` naming a column that the data set would have twice."""
    owners = dict.fromkeys(spine, "the spine")
    for each in choices:
        notes = [f"{each.view.name}__{note}" for note in NOTES]
        for name in (*each.columns, *notes):
            if name in owners:
                raise UsageError(
                    f"{owners[name]} and view {each.view.name} both have a column {name}: "
                    + ("rename it in the spine" if owners[name] == "the spine" else "make two data sets")
                )
            owners[name] = f"view {each.view.name}"


def sources_of(recipe: Recipe, choices: Sequence[Choice]) -> tuple[Source, ...]:
    """What is read, as tasks read it.

    Raises `DataError` for a view that is declared otherwise than when the recipe was written.
    """
    sources = []
    for read, choice in zip(recipe.views, choices, strict=True):
        if read.definition != choice.definition:
            raise DataError(
                f"view {read.view} is declared otherwise than when the data set was made: make it with that "
                "release, or a new one without --again"
            )
        reading = Reading(recipe.delay_hours, read.model)
        sources.append(Source(choice.view, read.columns, read.version, reading))
    return tuple(sources)


def read_of(lake: Lake, choice: Choice, model: tuple[str, int] | None) -> ViewRead:
    """A view as of now: the latest version of its table, the champion of today where it has its rows."""
    view = choice.view
    if not lake.exists(view.table):
        raise LakeError(
            f"view {view.name}: table {view.table} is not in {lake.root}: run the job that makes it first"
        )
    identity, version = lake.identity(view.table), lake.version(view.table)
    return ViewRead(view.name, choice.columns, choice.definition, view.table, identity, version, model)


def check_identities(lake: Lake, recipe: Recipe) -> None:
    """Raise `LakeError` naming a table that isn't the one that was read."""
    for read in recipe.views:
        if not lake.exists(read.table) or lake.identity(read.table) != read.identity:
            raise LakeError(
                f"table {read.table} in {lake.root} isn't the one that the data set was made of: it was made "
                "anew, or belongs to another lake"
            )


def parts_of(lake: Lake, tasks: Tasks, source: Source) -> list[ViewPart]:
    """The table's files in parts that tasks can go through one by one.

    Raises `LakeError` if the version can't be read any more, or lacks a column.
    """
    view = replace(
        source.view, columns=tuple(each for each in source.view.columns if each.name in source.columns)
    )
    model = source.reading.model
    only = [{"model_version": model[1]}] if view.champion and model is not None else None
    shards = lake.shards(view.table, tasks, only, needed(view), version=source.version)
    files = [file for shard in shards for file in shard.files]
    if view.made == "artist":
        return [ViewPart(0, tuple(files))] if files else []
    if view.made == "trailing plays":
        return _by_month(files)
    return [ViewPart(number, (file,)) for number, file in enumerate(files)]


def moments(source: Source, parts: Sequence[ViewPart]) -> int:
    """How many rows a key can have at most."""
    if not source.view.by_month:
        return 1
    return len({part.month or file.partition.get(MONTH) for part in parts for file in part.files})


def table_rows(source: Source, parts: Sequence[ViewPart]) -> int:
    """How many rows the parts have at most."""
    rows = sum(file.rows for part in parts for file in part.files)
    return rows // _TRAILING_MONTHS if source.view.made == "trailing plays" else rows


def _by_month(files: Sequence[DataFile]) -> list[ViewPart]:
    """A part a month from the first to the last: the files of the twelve months that end with it."""
    months: list[date] = [file.partition[MONTH] for file in files]
    if not months:
        return []
    parts = []
    for number, month in enumerate(months_between(min(months), max(months))):
        first = month_after(month, 1 - _TRAILING_MONTHS)
        mine = [file for file, of in zip(files, months, strict=True) if first <= of <= month]
        if mine:
            parts.append(ViewPart(number, tuple(mine), month))
    return parts

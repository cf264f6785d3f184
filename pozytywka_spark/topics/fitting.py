"""From counts to the rows of `genre_groups`: by a new fit, or brought up to date. Nothing is written here."""

from __future__ import annotations

import json
from datetime import datetime

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import GENRE_GROUPS
from pozytywka_spark.topics import counts
from pozytywka_spark.topics.communities import Search
from pozytywka_spark.topics.counts import GenreCounts
from pozytywka_spark.topics.fit import COMMUNITY, NEIGHBOURS, OVERRIDE, How, fit_groups
from pozytywka_spark.topics.groups import (
    grouped,
    kept_overrides,
    moved_share,
    overridden,
    with_new,
    with_vanished,
)
from pozytywka_spark.topics.identities import OTHER_GROUP
from pozytywka_spark.topics.inputs import Fit, State, fit_inputs
from pozytywka_spark.topics.overrides import Overrides, checked


def count_artists(lake: Lake, tasks: Tasks) -> GenreCounts:
    """Counts of all artists. Raises `DataError` where none has a genre."""
    files = data_files(lake, tasks, "artists", ["genres"])
    done = tasks.run(
        files,
        counts.count_in_tasks,
        weight=lambda file: file.size,
        named=lambda file: f"artists in {file.place}",
    )
    total = counts.NOTHING_COUNTED
    # one after the other: together they are as many as there are tasks, and each is of most genres
    for uses in done.of(counts.USES):
        total = counts.added(total, GenreCounts(tasks.fetch([uses]), counts.NOTHING_COUNTED.pairs))
    for pairs in done.of(counts.PAIRS):
        total = counts.added(total, GenreCounts(counts.NOTHING_COUNTED.uses, tasks.fetch([pairs])))
    if not total.uses.height:
        artists = sum(line["artists"] for line in done.results)
        raise DataError(f"none of the {artists:,} artists in {lake.root} has a genre to group")
    return total


def is_of(settings: Settings, counted: GenreCounts, fit: Fit) -> bool:
    """Whether a fit of these counts and settings would be made of what this one was."""
    mine = json.loads(fit.inputs)
    return bool(mine == fit_inputs(settings, counted.digest, mine["before"]))


def fit_anew(
    settings: Settings, counted: GenreCounts, before: State, committed: datetime
) -> tuple[Fit, pl.DataFrame]:
    """A new fit and its rows: ids go on by overlap with the groups `before`, what a person said stays."""
    topics = settings.topics
    inputs = fit_inputs(settings, counted.digest, before.fit.fit_id if before.fit else None)
    search = Search(topics.resolution, topics.rounds, topics.seed)
    how = How(search, topics.smallest, topics.smallest_subgroup, topics.words_confidence)
    fitted = fit_groups(counted, how, None if before.groups is None else _by_company(before.groups))
    fit_id = fingerprint_of(inputs, sort_keys=True)
    groups = grouped(fitted, before.groups, fit_id).select(GENRE_GROUPS.columns)
    if before.groups is not None:
        chosen = kept_overrides(groups, before.groups)
        groups = overridden(with_vanished(groups, before.groups, chosen), chosen, counted)
    placed = groups.filter(pl.col("group_id") != OTHER_GROUP)
    fit = Fit(
        fit_id,
        json.dumps(inputs, sort_keys=True),
        committed,
        groups=placed.get_column("group_id").n_unique(),
        subgroups=placed.get_column("subgroup_id").n_unique(),
        genres=groups.height,
        artists=int(counted.uses.get_column("artists").sum()),
        moved=None if before.groups is None else moved_share(groups),
        assigned=None,
    )
    return fit, groups


def _by_company(groups: pl.DataFrame) -> dict[str, str]:
    """The groups that genres have by their company, for the next fit to begin with."""
    rows = groups.filter(pl.col("assigned_by").is_in([COMMUNITY, NEIGHBOURS]))
    return dict(rows.select("genre", "group_id").iter_rows())


def brought_up_to_date(
    settings: Settings, groups: pl.DataFrame, counted: GenreCounts, overrides: Overrides | None
) -> pl.DataFrame:
    """`groups` with genres that are new, today's counts, and what a person says; by genre.

    A genre whose override is taken back is assigned as if it were new. Raises `DataError` for overrides
    that can't be.
    """
    confidence, fit_id = settings.topics.words_confidence, str(groups.get_column("fit_id")[0])
    now = with_new(groups, counted, confidence, fit_id)
    if overrides is None:
        return now.sort("genre")
    chosen, taken_back = checked(overrides, now)
    mine = pl.col("genre").is_in(taken_back) & (pl.col("assigned_by") == OVERRIDE)
    return overridden(with_new(now.filter(~mine), counted, confidence, fit_id), chosen, counted).sort("genre")

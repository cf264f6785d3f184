"""Artists and tracks -> groups of genres, groups and languages of artists; only what has changed."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError, require
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.hashing.slices import slices_for
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.schemas import ARTIST_GROUPS, GENRE_GROUPS, TOPIC_FITS, TRACK_LANGUAGES
from pozytywka_spark.topics import artists_work, counts
from pozytywka_spark.topics.communities import Search
from pozytywka_spark.topics.counts import GenreCounts
from pozytywka_spark.topics.fit import How, fit_groups
from pozytywka_spark.topics.groups import grouped, kept_overrides, moved_share, overridden, with_new
from pozytywka_spark.topics.identities import OTHER_GROUP
from pozytywka_spark.topics.inputs import Fit, State, assigned_from, committed_at, fit_inputs, read_state
from pozytywka_spark.topics.languages import Asked, unknown_languages
from pozytywka_spark.topics.overrides import Overrides, checked

_LOG = logging.getLogger(__name__)
_ROWS_A_PART = 200_000


@dataclass(frozen=True)
class TopicsReport:
    """What was done. `fitted`: whether groups were made anew; `new_genres`: how many were assigned;
    `overridden`: how many a person placed just now; of artists how many there are, have a group, a language;
    `tracks` with a language of their own.
    """

    fit: Fit
    fitted: bool
    new_genres: int
    overridden: int
    artists: int
    with_group: int
    with_language: int
    tracks: int
    moves: pl.DataFrame
    unchanged: bool = False


def make_topics(
    settings: Settings, lake: Lake, *, refit: bool = False, overrides: Overrides | None = None
) -> TopicsReport:
    """Make or bring up to date `genre_groups`, `artist_groups` and `track_languages`.

    Without groups yet, and with `refit`, genres are grouped anew; else those that are known stay where they
    are, new ones are assigned. `overrides` holds what a person says of genres. A fit is recorded, then its
    groups are written, then what is made of them, and that this is so last: interrupted anywhere, the same
    call does the rest. Raises `DataError` without artists or for overrides that can't be, `UsageError` for
    a language that nobody can tell.
    """
    require("topics")
    committed = committed_at(lake)
    before = read_state(lake)
    with lake.tasks() as tasks:
        fit, groups = before.fit, before.groups
        current = (
            fit is not None and groups is not None and fit.assigned == assigned_from(settings, lake, groups)
        )
        if fit is not None and groups is not None and current and not refit and overrides is None:
            return _nothing_done(fit, groups)
        counted = _count(lake, tasks)
        fitted = fit is None or groups is None or (refit and not _same_fit(settings, counted, fit))
        if fit is None or groups is None or fitted:
            fit, groups = _fit(settings, lake, counted, before, committed)
        now = _brought_up_to_date(settings, groups, counted, overrides)
        if not now.equals(groups) or fitted:
            lake.overwrite(now.to_arrow(), GENRE_GROUPS)
        elif current:
            return _nothing_done(fit, groups)
        done = _assign(settings, lake, tasks, now, fit)
    fit = replace(fit, assigned=assigned_from(settings, lake, now))
    _record(lake, fit)
    return _report(before, fit, now, done, fitted=fitted, told=fitted or refit, overrides=overrides)


def _count(lake: Lake, tasks: Tasks) -> GenreCounts:
    files = data_files(lake, tasks, "artists", ["genres"])
    done = tasks.run(
        files,
        counts.count_in_tasks,
        weight=lambda file: file.size,
        named=lambda file: f"artists in {file.place}",
    )
    total = counts.NOTHING_COUNTED
    for uses in done.of(counts.USES):
        total = counts.added(total, GenreCounts(tasks.fetch([uses]), counts.NOTHING_COUNTED.pairs))
    for pairs in done.of(counts.PAIRS):
        total = counts.added(total, GenreCounts(counts.NOTHING_COUNTED.uses, tasks.fetch([pairs])))
    if not total.uses.height:
        raise DataError(
            f"no artist of the {sum(line['artists'] for line in done.results):,} in {lake.root} has a genre"
        )
    return total


def _same_fit(settings: Settings, counted: GenreCounts, fit: Fit) -> bool:
    """Whether a fit of these counts and settings would be made of what the last one was."""
    mine = json.loads(fit.inputs)
    return bool(mine == fit_inputs(settings, counted.digest, mine["before"]))


def _fit(
    settings: Settings, lake: Lake, counted: GenreCounts, before: State, committed: datetime
) -> tuple[Fit, pl.DataFrame]:
    """A new fit, recorded, and its groups, which are not."""
    topics = settings.topics
    inputs = fit_inputs(settings, counted.digest, before.fit.fit_id if before.fit else None)
    fit_id = fingerprint_of(inputs, sort_keys=True)
    search = Search(topics.resolution, topics.rounds, topics.seed)
    how = How(search, topics.smallest, topics.smallest_subgroup, topics.words_confidence)
    earlier = None if before.groups is None else _as_fitted(before.groups)
    groups = grouped(fit_groups(counted, how, earlier), before.groups, fit_id).select(GENRE_GROUPS.columns)
    if before.groups is not None:
        groups = overridden(groups, kept_overrides(groups, before.groups), counted)
    placed = groups.filter(pl.col("group_id") != OTHER_GROUP)
    fit = Fit(
        fit_id,
        json.dumps(inputs, sort_keys=True),
        committed,
        placed.get_column("group_id").n_unique(),
        placed.get_column("subgroup_id").n_unique(),
        groups.height,
        int(counted.uses.get_column("artists").sum()),
        moved_share(groups) if before.groups is not None else None,
        None,
    )
    _record(lake, fit)
    return fit, groups


def _as_fitted(groups: pl.DataFrame) -> Mapping[str, str]:
    """The group of each genre by the fit before, for the next one to begin with."""
    rows = groups.filter(pl.col("assigned_by").is_in(["community", "neighbours"]))
    return dict(rows.select("genre", "group_id").iter_rows())


def _brought_up_to_date(
    settings: Settings, groups: pl.DataFrame, counted: GenreCounts, overrides: Overrides | None
) -> pl.DataFrame:
    topics = settings.topics
    known = groups
    if overrides is not None:
        chosen, taken_back = checked(overrides, groups)
        known = groups.filter(~pl.col("genre").is_in(taken_back) | (pl.col("assigned_by") != "override"))
    now = with_new(known, counted, topics.words_confidence)
    if overrides is not None:
        now = overridden(now, chosen, counted)
    return now.sort("genre")


def _assign(settings: Settings, lake: Lake, tasks: Tasks, groups: pl.DataFrame, fit: Fit) -> Done:
    unknown = unknown_languages(settings.topics.languages)
    if unknown:
        raise UsageError(
            f"topics.languages: {', '.join(unknown)}: no language that can be told; expected: en, pl …"
        )
    items = [
        artists_work.Files(name, (file,))
        for name in (artists_work.ARTISTS, artists_work.TRACKS)
        for file in data_files(lake, tasks, name, artists_work.COLUMNS[name])
    ]
    rows = sum(file.rows for item in items for file in item.files)
    parts = max(tasks.slots, slices_for(rows, _ROWS_A_PART))
    split = tasks.run(
        items,
        artists_work.Split(parts),
        weight=lambda item: sum(file.size for file in item.files),
        named=lambda item: f"{item.table} in {item.files[0].place}",
    )
    by_part: dict[int, dict[str, list[Any]]] = {n: {"artists": [], "tracks": []} for n in range(parts)}
    for parcel in split.parcels:
        by_part[int(parcel.key[0])][parcel.kind].append(parcel)
    work = artists_work.Assign(
        tasks.put("genres", groups.select("genre", "group_id", "subgroup_id", "confidence")),
        Asked(settings.topics.languages, settings.topics.language_confidence),
        fit.fit_id,
    )
    done = tasks.run(
        [
            artists_work.Part(n, tuple(found["artists"]), tuple(found["tracks"]))
            for n, found in by_part.items()
        ],
        work,
        weight=lambda part: part.weight,
        named=lambda part: f"part {part.number} of the artists",
    )
    for table in (TRACK_LANGUAGES, ARTIST_GROUPS):
        lake.overwrite([one for one in done.written if one.table == table.name], table)
    return done


def _record(lake: Lake, fit: Fit) -> None:
    lake.upsert(as_table([asdict(fit)], TOPIC_FITS), TOPIC_FITS)


def _nothing_done(fit: Fit, groups: pl.DataFrame) -> TopicsReport:
    return TopicsReport(fit, False, 0, 0, 0, 0, 0, 0, groups.clear(), unchanged=True)


def _report(
    before: State,
    fit: Fit,
    now: pl.DataFrame,
    done: Done,
    *,
    fitted: bool,
    told: bool,
    overrides: Overrides | None,
) -> TopicsReport:
    sums = {
        name: sum(line[name] for line in done.results) for name in ("artists", "group", "language", "tracks")
    }
    known = [] if before.groups is None else before.groups.get_column("genre").to_list()
    moves = now.filter(
        pl.col("previous_group_id").is_not_null() & (pl.col("previous_group_id") != pl.col("group_id"))
    )
    return TopicsReport(
        fit,
        fitted,
        now.filter(~pl.col("genre").is_in(known)).height,
        0 if overrides is None else len(overrides.groups),
        sums["artists"],
        sums["group"],
        sums["language"],
        sums["tracks"],
        moves if told else now.clear(),
    )

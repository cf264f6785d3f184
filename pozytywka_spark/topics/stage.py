"""Artists and tracks -> groups of genres, groups and languages of artists; only what has changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError, require
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.lake.tasks import Done
from pozytywka_spark.schemas import ARTIST_GROUPS, GENRE_GROUPS, TOPIC_FITS, TRACK_LANGUAGES
from pozytywka_spark.topics.assigning import assign_artists
from pozytywka_spark.topics.fitting import brought_up_to_date, count_artists, fit_anew, is_of
from pozytywka_spark.topics.groups import moved_rows
from pozytywka_spark.topics.inputs import Fit, State, assigned_from, committed_at, read_state
from pozytywka_spark.topics.languages import unknown_languages
from pozytywka_spark.topics.overrides import Overrides


@dataclass(frozen=True)
class TopicsReport:
    """What was done: the `fit` that groups are of, and whether it was made now.

    `new_genres`: how many were assigned; `overridden`: how many a person spoke of; `artists`: how many there
    are, with a group, with a language; `tracks` with a language of their own; `moves`: rows of `genre_groups`
    that the last refit moved, if it is of this call.
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
    """Make `genre_groups`, `artist_groups` and `track_languages`, or bring them up to date.

    Without groups yet, and with `refit`, genres are grouped anew; else those that are known stay where they
    are, new ones are assigned. `overrides` holds what a person says of genres. A fit is recorded, then its
    groups are written, then what is made of them, and that this is so last: interrupted anywhere, the same
    call does the rest. Raises `DataError` without artists or genres and for overrides that can't be,
    `UsageError` for a language that nobody can tell; then nothing is written.
    """
    require("topics")
    committed, before = committed_at(lake), read_state(lake)
    current = _is_current(settings, lake, before)
    if before.fit and current and not refit and overrides is None:
        return _nothing_done(before.fit)
    _check(settings)
    with lake.tasks() as tasks:
        counted = count_artists(lake, tasks)
        fit, groups = before.fit, before.groups
        fitted = fit is None or groups is None or (refit and not is_of(settings, counted, fit))
        if fit is None or groups is None or fitted:
            fit, groups = fit_anew(settings, counted, before, committed)
        now = brought_up_to_date(settings, groups, counted, overrides)
        if fitted:
            _record(lake, fit)
        if fitted or not now.equals(groups):
            lake.overwrite(now.to_arrow(), GENRE_GROUPS)
        elif current:
            return _nothing_done(fit)
        done = assign_artists(settings, lake, tasks, now, fit.fit_id)
        for table in (TRACK_LANGUAGES, ARTIST_GROUPS):
            lake.overwrite([one for one in done.written if one.table == table.name], table)
    fit = replace(fit, assigned=assigned_from(settings, lake, now))
    _record(lake, fit)
    return _report(before, fit, now, done, fitted=fitted, refit=refit, overrides=overrides)


def _is_current(settings: Settings, lake: Lake, state: State) -> bool:
    """Whether artists were assigned from what there is."""
    if state.fit is None or state.groups is None:
        return False
    return state.fit.assigned == assigned_from(settings, lake, state.groups)


def _check(settings: Settings) -> None:
    unknown = unknown_languages(settings.topics.languages)
    if unknown:
        raise UsageError(
            f"topics.languages: {', '.join(unknown)}: no language that can be told; expected: en, pl …"
        )


def _record(lake: Lake, fit: Fit) -> None:
    lake.upsert(as_table([asdict(fit)], TOPIC_FITS), TOPIC_FITS)


def _nothing_done(fit: Fit) -> TopicsReport:
    return TopicsReport(fit, False, 0, 0, 0, 0, 0, 0, pl.DataFrame(), unchanged=True)


def _report(
    before: State,
    fit: Fit,
    now: pl.DataFrame,
    done: Done,
    *,
    fitted: bool,
    refit: bool,
    overrides: Overrides | None,
) -> TopicsReport:
    told = {
        name: sum(line[name] for line in done.results) for name in ("artists", "group", "language", "tracks")
    }
    known = now.clear() if before.groups is None else before.groups
    moves = moved_rows(now)
    return TopicsReport(
        fit,
        fitted=fitted,
        new_genres=now.join(known, on="genre", how="anti").height,
        overridden=0 if overrides is None else len(overrides.groups),
        artists=told["artists"],
        with_group=told["group"],
        with_language=told["language"],
        tracks=told["tracks"],
        moves=moves if refit else moves.clear(),
    )

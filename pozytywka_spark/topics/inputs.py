"""What groups and languages are made of, and what of it has changed since they were made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import ARTISTS, GENRE_GROUPS, TOPIC_FITS, TRACKS

FORMAT = 1  # of what is recorded; another has all assigned anew
# The settings that a fit alone heeds; the others decide how artists are assigned
_OF_FIT = ("topics.seed", "topics.resolution", "topics.rounds", "topics.smallest", "topics.smallest_subgroup")


@dataclass(frozen=True)
class Fit:
    """A recorded fit: a row of `topic_fits`."""

    fit_id: str
    inputs: str
    fitted_at: datetime
    groups: int
    subgroups: int
    genres: int
    artists: int
    moved: float | None
    assigned: str | None


@dataclass(frozen=True)
class State:
    """`groups`: the rows of `genre_groups`, None before the first fit; `fit`: the one that they are of."""

    groups: pl.DataFrame | None
    fit: Fit | None


def read_state(lake: Lake) -> State:
    """What the last run left. The fit is recorded before its groups are written: they always have one."""
    if not lake.exists(GENRE_GROUPS.name):
        return State(None, None)
    groups = pl.DataFrame(lake.rows(GENRE_GROUPS.name)).sort("genre")
    if not groups.height:
        return State(None, None)
    fit_id = groups.get_column("fit_id")[0]
    return State(groups, next((fit for fit in read_fits(lake) if fit.fit_id == fit_id), None))


def read_fits(lake: Lake) -> list[Fit]:
    """All recorded fits, earliest first."""
    rows = lake.rows(TOPIC_FITS.name).to_pylist() if lake.exists(TOPIC_FITS.name) else []
    return sorted((Fit(**row) for row in rows), key=lambda fit: (fit.fitted_at, fit.fit_id))


def assigned_from(settings: Settings, lake: Lake, groups: pl.DataFrame) -> str:
    """A name of all that artists are assigned from: files of artists and tracks, groups, settings."""
    placed = groups.select("genre", "group_id", "subgroup_id", "confidence", "fit_id").rows()
    return fingerprint_of([FORMAT, _files(lake), fingerprint_of(placed), _settings(settings, fit=False)])


def committed_at(lake: Lake) -> datetime:
    """When the artists were committed. Raises `DataError` without any."""
    if not lake.exists(ARTISTS.name):
        raise DataError(f"table {ARTISTS.name} is not in {lake.root}: run the ingest job first")
    return lake.history(ARTISTS.name)[0].time


def fit_inputs(settings: Settings, counts: str, before: str | None) -> dict[str, object]:
    """What a fit is made of: counts by their digest, settings, the fit before; its id is a name of that."""
    return {"format": FORMAT, "counts": counts, "settings": _settings(settings, fit=True), "before": before}


def _files(lake: Lake) -> list[list[str]]:
    return [sorted(lake.files(name)) if lake.exists(name) else [] for name in (ARTISTS.name, TRACKS.name)]


def _settings(settings: Settings, *, fit: bool) -> dict[str, object]:
    return {name: value for name, value in deciding(settings, "topics").items() if (name in _OF_FIT) is fit}

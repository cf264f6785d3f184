"""Report: the page of a day's feed, from its tables and the model's facts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.feed.model import MEASURED, WEIGHTS, connected, weights_of_file
from pozytywka_spark.feed.page import Facts, render
from pozytywka_spark.feed.report_work import (
    EXPLORED,
    NEW,
    PAGES,
    PLACES,
    RELAXED,
    SHOWN,
    SIDE_BY_SIDE,
    CountShown,
    LookAtPages,
)
from pozytywka_spark.feed.stage import stages_of
from pozytywka_spark.feed.stages import counts_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.reports.files import write_page
from pozytywka_spark.tracking import runs
from pozytywka_spark.tracking.notes import KIND
from pozytywka_spark.tracking.plain_models import load_files

PAGE = "feed.html"
FEED_ID = "pozytywka.feed_id"


def report(settings: Settings, lake: Lake, day: date | None) -> str:
    """Write the page and log it; its path. Read only but for the page. Raises `DataError` without a feed."""
    day = day or _last_day(lake)
    rows = stages_of(lake, day) if day else []
    if not rows or day is None:
        raise DataError(f"there is no feed{f' of {day}' if day else ''} in {lake.root}: run feed rank first")
    with lake.tasks() as tasks:
        facts = _facts(settings, lake, tasks, day, rows)
    html = render(facts)
    path = write_page(settings, PAGE, html)
    _log(settings, html, facts, rows[0]["feed_id"])
    return str(path)


def _last_day(lake: Lake) -> date | None:
    if not lake.exists(schemas.FEED_STAGES.name):
        return None
    days = lake.rows(schemas.FEED_STAGES.name, ["feed_date"]).column("feed_date").to_pylist()
    return max(days, default=None)


def _facts(
    settings: Settings, lake: Lake, tasks: Tasks, day: date, rows: Sequence[Mapping[str, Any]]
) -> Facts:
    files = data_files(lake, tasks, schemas.FEED.name, None, [{"feed_date": day}])
    done = tasks.run(files, LookAtPages(), weight=lambda file: file.size, named=lambda file: file.place)
    shown = tuple(done.of(SHOWN))
    counted = tasks.run([0], CountShown(shown), weight=lambda _: 1, named=lambda _: "tracks shown").results[0]
    drawn = sorted(page for line in done.results for page in line[PAGES])[:SIDE_BY_SIDE]
    version = str(rows[0]["model_version"])
    weights, measured = _model(settings, version)
    catalogue = sum(file.rows for file in data_files(lake, tasks, "tracks"))
    totals = {name: sum(line[name] for line in done.results) for name in (PLACES, EXPLORED, NEW, RELAXED)}
    return Facts(
        day=day,
        model_version=version,
        counts=counts_of(rows),
        weights=weights,
        measured=measured,
        totals={
            "places": totals[PLACES],
            "explored": totals[EXPLORED],
            "by new artists": totals[NEW],
            "a rule relaxed": totals[RELAXED],
            "tracks shown": counted["tracks"],
            "artists shown": counted["artists"],
            "tracks in the catalogue": catalogue,
        },
        pages=[page for _, page in drawn],
        evaluations=_evaluations(lake, day),
    )


def _model(settings: Settings, version: str) -> tuple[Any, Mapping[str, Any]]:
    """The weights and what was measured of the version that the day's pages were made with."""
    files = load_files(connected(settings), int(version))
    weights = weights_of_file(files[WEIGHTS])
    return weights, json.loads(files.get(MEASURED, b"{}"))


def _evaluations(lake: Lake, day: date) -> list[dict[str, Any]]:
    table = schemas.FEED_EVALUATIONS.name
    if not lake.exists(table):
        return []
    rows: list[dict[str, Any]] = lake.rows(table, partitions=[{"feed_date": day}]).to_pylist()
    return sorted(rows, key=lambda row: (row["metric"], row["ranking"], row["slice"]))


def _log(settings: Settings, html: str, facts: Facts, feed_id: str) -> None:
    """Into the run of these pages, made the first time."""
    tracking = connected(settings)
    there = runs.find_tagged(tracking, FEED_ID, feed_id)
    if there is not None:
        runs.log_text(tracking, there, html, PAGE)
        return
    with runs.run(tracking, f"feed {facts.day}", tags={KIND: "feed", FEED_ID: feed_id}) as run_id:
        params = {"feed_date": facts.day.isoformat(), "model_version": facts.model_version}
        metrics = {name.replace(" ", "_"): float(value) for name, value in facts.totals.items()}
        runs.log(tracking, run_id, params=params, metrics=metrics)
        runs.log_json(tracking, run_id, [asdict(one) for one in facts.weights.weights], "weights.json")
        runs.log_text(tracking, run_id, html, PAGE)

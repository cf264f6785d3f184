"""Reads what the page shows: sums by month and rule, a sample of signals, the largest rings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.fraud.declared.catalogue import NAMES
from pozytywka_spark.fraud.inputs import read_scanned
from pozytywka_spark.fraud.page import Shown, render
from pozytywka_spark.fraud.report_work import SAMPLE, SumUpMonth
from pozytywka_spark.fraud.rules.backtest import month_days
from pozytywka_spark.fraud.rules.read import read_rules
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.schemas import RINGS, VERDICTS, signals_table

_SAMPLE_ROWS = 20_000
_MEMBERS = 400  # rows of rings that a picture shows, at most: those of the latest month with one


def make_page(settings: Settings, lake: Lake) -> str:
    """The HTML text of what was last scanned. Raises `DataError` if nothing was."""
    if not lake.exists(signals_table(NAMES).name):
        raise DataError(f"table signals is not in {lake.root}: run fraud scan first")
    scanned = read_scanned(lake)
    rules = read_rules(settings)
    with lake.tasks() as tasks:
        items = month_days(lake, tasks, None)
        work = SumUpMonth(
            data_files(lake, tasks, VERDICTS.name),
            max(1, _SAMPLE_ROWS // max(1, len(items))),
            settings.fraud.seed,
        )
        done = tasks.run(
            items, work, weight=lambda item: item.size, named=lambda item: f"cases of {item.month:%Y-%m}"
        )
        parcels = done.of(SAMPLE)
        sample = tasks.fetch(parcels) if parcels else pl.DataFrame(schema=dict.fromkeys(NAMES, pl.Float64()))
        rings = _rings(lake, tasks)
    return render(Shown(scanned, rules, _of_rules(done.results), _pairs(done.results), sample, rings))


def _of_rules(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(line) for line in lines if "rule" in line]


def _pairs(lines: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for line in lines:
        if "both" in line:
            pair = (line["one"], line["other"])
            found[pair] = found.get(pair, 0) + line["both"]
    return found


def _rings(lake: Lake, tasks: Tasks) -> pl.DataFrame:
    """Rows of the latest month that has rings, whole rings, so many as a picture can show."""
    empty = pl.DataFrame(schema={"month": pl.Date(), "ring": pl.String(), "user_id": pl.Int64(),
                                 "score": pl.Float64(), "tracks": pl.List(pl.String())})  # fmt: skip
    files = data_files(lake, tasks, RINGS.name)
    if not files:
        return empty
    latest = max(file.partition["month"] for file in files)
    rows = pl.from_arrow(lake.rows(RINGS.name, partitions=[{"month": latest}]))
    assert isinstance(rows, pl.DataFrame)
    by_size = rows.group_by("ring").len().sort("len", "ring", descending=[True, False])
    fits = by_size.filter(pl.col("len").cum_sum() <= _MEMBERS).get_column("ring")
    shown = fits if len(fits) else by_size.get_column("ring").head(1)
    return rows.filter(pl.col("ring").is_in(shown.implode()))

"""Trainings that were done before, found by the versions of their tables: no row is read for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import Pinned, Prepared, by_version, name_inputs, plan_months
from pozytywka_spark.dataset.splits import MonthCount
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import Tracking

BY_VERSION = "pozytywka.inputs_by_version"  # of a version: the digest of `by_version`
MONTHS = "months.json"  # of a training run: what its split was planned from


def recalled(
    tracking: Tracking, pinned: Pinned, settings: Settings
) -> tuple[registry.Version, Prepared] | None:
    """The version that was trained on just these versions of the tables, if any, and what it came from."""
    inputs = by_version(pinned, settings)
    version = inputs and registry.find_version(tracking, inputs, BY_VERSION)
    if not version or not runs.has_artefact(tracking, version.training_run, MONTHS):
        return None
    months = runs.read_json(tracking, version.training_run, MONTHS)
    counts, left_out = (_counts(months[name]) for name in ("counts", "left_out"))
    prepared = name_inputs(plan_months(pinned, counts, left_out, settings), "", settings, months["share"])
    return version, replace(prepared, inputs=version.tags[registry.INPUTS])


def months_of(prepared: Prepared) -> dict[str, Any]:
    """What `recalled` needs of a training."""
    rows = {"counts": prepared.counts, "left_out": prepared.left_out}
    content = {
        name: [[f"{count.month}", count.rows, count.positives] for count in counts]
        for name, counts in rows.items()
    }
    return {**content, "share": prepared.share}


def _counts(stored: list[list[Any]]) -> list[MonthCount]:
    return [MonthCount(date.fromisoformat(month), rows, positives) for month, rows, positives in stored]

"""Figures of a world: counted as it is made, kept beside the delivery's parts."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession

from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.storage.folder import Folder
from pozytywka_spark.names import BUY_PREMIUM, EVENT_TYPES
from pozytywka_spark.synthetic.each_part import Parts, rows_of
from pozytywka_spark.synthetic.events import events_of
from pozytywka_spark.synthetic.life import life_of
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.texts.occasions import occasions_of

SUMMARY = "_summary.json"

Figures = dict[str, int]


def figures_of(spark: SparkSession | None, plan: Plan) -> Figures:
    """Counts of the world without its dirt; the parts are made again, nothing is read.

    A row a chunk comes to the driver, with a bit a track: less than a shuffle of what was played would be.
    """
    counted = ["sessions", *EVENT_TYPES, *(["texts"] if plan.world.feedback.rate else [])]

    def count(chunk: int) -> pa.RecordBatch:
        life = life_of(plan, chunk)
        events = events_of(plan, life)
        kinds = np.bincount(events.kind, minlength=len(EVENT_TYPES))
        amounts = [len(np.unique(events.session_id)), *kinds.tolist()]
        if plan.world.feedback.rate:
            amounts.append(len(occasions_of(plan, life)))
        played = np.zeros(plan.world.tracks, dtype=bool)
        played[events.track[events.track >= 0]] = True
        columns = [pa.array([amounts], pa.list_(pa.int64())), pa.array([np.packbits(played).tobytes()])]
        return pa.record_batch(columns, names=["amounts", "played"])

    rows = rows_of(spark, Parts(plan.chunks, count, "amounts array<bigint>, played binary")).to_pylist()
    amounts = np.sum([row["amounts"] for row in rows], axis=0)
    totals = dict(zip(counted, amounts.tolist(), strict=True))
    played = np.bitwise_or.reduce([np.frombuffer(row["played"], dtype=np.uint8) for row in rows])
    world = plan.world
    return {
        "users": world.users,
        "months": world.months,
        "sessions": totals["sessions"],
        **{name: totals[name] for name in EVENT_TYPES},
        "tracks": world.tracks,
        "tracks played": int(np.unpackbits(played).sum()),
        "artists": world.artists,
        **({"texts": totals["texts"]} if world.feedback.rate else {}),
    }


def write_figures(folder: Folder, figures: Figures) -> None:
    """Keep them in the delivery."""
    folder.write(SUMMARY, json.dumps(figures, indent=2))


def summary_rows(path: str) -> list[dict[str, str]]:
    """The figures of the world at `path` as a table to show. Raises `DataError` if there is none."""
    folder = Folder.at(path)
    text = folder.read(SUMMARY)
    if text is None:
        raise DataError(
            f"{path} holds no made world; make one with: scripts/submit.sh synthesize --out {path}"
        )
    figures: Figures = json.loads(text)
    events = sum(figures[name] for name in EVENT_TYPES)
    shown = {name: f"{value:,}" for name, value in figures.items()}
    shown |= {
        "events": f"{events:,}",
        "events per session": f"{events / max(1, figures['sessions']):.1f}",
        "premium users": f"{figures[BUY_PREMIUM] / figures['users']:.1%}",
        "size on disk": f"{folder.size() / 1e6:,.1f} MB",
    }
    return [{"figure": name, "value": value} for name, value in shown.items()]

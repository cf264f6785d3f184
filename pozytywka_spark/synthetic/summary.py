"""Figures of a world: counted as it is made, kept beside the delivery's parts."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.storage.folder import Folder
from pozytywka_spark.names import BUY_PREMIUM, EVENT_TYPES
from pozytywka_spark.synthetic.events import events_of
from pozytywka_spark.synthetic.life import life_of
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.tables import in_parts
from pozytywka_spark.synthetic.texts.occasions import occasions_of

SUMMARY = "_summary.json"

Figures = dict[str, int]


def figures_of(spark: SparkSession, plan: Plan) -> Figures:
    """Counts of the world without its dirt; the parts are made again, nothing is read."""

    def count(chunk: int) -> pa.RecordBatch:
        life = life_of(plan, chunk)
        events = events_of(plan, life)
        texts = [len(occasions_of(plan, life))] if plan.world.feedback.rate else []
        played = np.unique(events.track[events.track >= 0])
        sessions = len(np.unique(events.session_id))
        kinds = np.bincount(events.kind, minlength=len(EVENT_TYPES))
        amounts = np.concatenate(
            [[sessions], kinds, np.array(texts, dtype=np.int64), np.ones(len(played), dtype=np.int64)]
        )
        names = ["sessions", *EVENT_TYPES, *["texts"] * len(texts), *["tracks played"] * len(played)]
        tracks = pa.array(np.concatenate([np.zeros(len(names) - len(played), dtype=np.int64), played]))
        return pa.record_batch(
            [pa.array(names), pa.array(amounts), tracks], names=["name", "amount", "track"]
        )

    counts = in_parts(spark, plan.chunks, count, "name string, amount bigint, track bigint")
    by_name = counts.groupBy("name").agg(
        F.sum("amount").alias("total"), F.countDistinct("track").alias("kinds")
    )
    rows = {row["name"]: row for row in by_name.collect()}
    world = plan.world
    return {
        "users": world.users,
        "months": world.months,
        "sessions": int(rows["sessions"]["total"]),
        **{name: int(rows[name]["total"]) for name in EVENT_TYPES},
        "tracks": world.tracks,
        "tracks played": int(rows["tracks played"]["kinds"]),
        "artists": world.artists,
        **({"texts": int(rows["texts"]["total"])} if world.feedback.rate else {}),
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

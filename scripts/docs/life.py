"""The life of a row: a small world run through every stage, and what its tables hold of one sessions line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from pyspark.sql import SparkSession

from pozytywka_spark.config import Dirt, Settings, Synthetic, load_settings
from pozytywka_spark.synthetic.life import plan_of
from pozytywka_spark.synthetic.parts import PARTS, parts_of
from scripts.docs.blocks import table

WORLD = Synthetic(
    users=300, months=8, start=date(2022, 1, 1), tracks=400, artists=60, played_tracks=200, genres=120,
    dirt=Dirt(null_track_id=0.02),
)  # fmt: skip
MONTH = date(2022, 6, 1)  # a test month whose labels are known
SETTINGS = (
    "training.max_trees=20",
    "training.min_positives=1",
    "evaluation.bootstrap=20",
    "gate.confidence=0.9",
)
PAGE = "life-of-a-row.md"
MEASURES = ("plays", "ads", "skips", "likes", "sessions", "listened_us", "skip_delay_us")
FEATURES = ("number_of_tracks", "number_of_skips", "skip_rate", "average_duration_ms", "tenure_days")


@dataclass(frozen=True)
class Life:
    """A line as delivered; by table, the row that it is or is part of; the time split of the training."""

    line: str
    rows: Mapping[str, Mapping[str, Any]]
    split: Sequence[Mapping[str, Any]]


def run(spark: SparkSession, home: Path) -> Life:
    """Make the world below `home`, take it through every stage, and follow one line of it."""
    from pozytywka_spark.features.stage import build_features
    from pozytywka_spark.ingest.stage import ingest
    from pozytywka_spark.lake import open_lake
    from pozytywka_spark.scoring.stage import score
    from pozytywka_spark.training.stage import train

    settings = load_settings("local", [f"home={home}", f"raw.path={home}/raw", *SETTINGS])
    deliver(home / "raw")
    lake = open_lake(settings, spark)
    ingest(spark, settings, lake)
    build_features(spark, settings, lake)
    trained = train(spark, settings, lake)
    score(spark, settings, lake, MONTH)
    return follow(settings, trained.split)


def deliver(folder: Path) -> None:
    """Write the raw files of `WORLD` into a new folder."""
    folder.mkdir(parents=True)
    plan = plan_of(WORLD)
    for entity, make in PARTS.items():
        lines = [line for part in range(parts_of(plan, entity)) for line in make(plan, part)[0].to_pylist()]
        (folder / f"{entity}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def follow(settings: Settings, split: Sequence[Mapping[str, Any]]) -> Life:
    """The first SKIP of the month without a track that was repaired and whose user was scored."""
    events = _table(settings, "events").filter(pl.col("event_month") == MONTH)
    predictions = _table(settings, "predictions")
    event = (
        events.filter(pl.col("repaired") & (pl.col("event_type") == "SKIP"))
        .join(predictions.select("user_id"), on="user_id", how="semi")
        .sort("event_time", "user_id")
        .row(0, named=True)
    )
    mine = (pl.col("user_id") == event["user_id"]) & (pl.col("month") == MONTH)
    rows = {name: _one(_table(settings, name), mine) for name in ("user_month", "features", "labels")}
    return Life(
        _line_of(event, Path(settings.raw_path)),
        {
            "events": event,
            "tracks": _one(_table(settings, "tracks"), pl.col("id") == event["track_id"]),
            **rows,
            "predictions": _one(predictions, mine),
        },
        split,
    )


def _table(settings: Settings, name: str) -> pl.DataFrame:
    return pl.read_delta(f"{settings.lake.root}/{name}")


def _one(rows: pl.DataFrame, wanted: pl.Expr) -> dict[str, Any]:
    return rows.filter(wanted).row(0, named=True)


def _line_of(event: Mapping[str, Any], raw: Path) -> str:
    """The line that the event was: of its session, user and moment."""
    for line in (raw / "sessions.jsonl").read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)
        same = (fields["session_id"], fields["user_id"]) == (event["session_id"], event["user_id"])
        moment = datetime.fromisoformat(fields["timestamp"])
        if same and moment == event["event_time"].replace(tzinfo=None) and fields["event_type"] == "SKIP":
            return line
    raise LookupError(f"no line of session {event['session_id']} is that event")


def blocks(life: Life) -> dict[str, str]:
    """By name, the parts of the page that are made."""
    prediction = dict(life.rows["predictions"])
    reasons = prediction.pop("reasons")
    return {
        "line": _code(life.line),
        "event": _card(life.rows["events"]),
        "track": _card(_only(life.rows["tracks"], ("id", "duration_ms", "id_artist", "release_date"))),
        "user-month": _card(_only(life.rows["user_month"], ("user_id", "month", *MEASURES))),
        "features": _card(_only(life.rows["features"], ("user_id", "month", *FEATURES))),
        "labels": _card(life.rows["labels"]),
        "split": table([{name: str(value) for name, value in row.items()} for row in life.split]),
        "prediction": _card({k: v for k, v in prediction.items() if k not in ("scoring_id", "scored_at")}),
        "reasons": "\n".join(f"- {reason['text']}" for reason in reasons),
    }


def _only(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _code(text: str) -> str:
    return f"```json\n{text}\n```"


def _card(row: Mapping[str, Any]) -> str:
    lines = [f"| `{name}` | {_shown(value)} |" for name, value in row.items()]
    return "\n".join(["| column | value |", "|---|---|", *lines])


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return f"`{value.hex()}`"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat(sep=' ')} UTC"
    return str(value)

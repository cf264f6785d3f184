"""What each stage and rule of a ranking let in and out: rows of the table `feed_stages`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import reduce
from operator import add
from typing import Any

from pozytywka_spark.feed.rank_work import STAGES
from pozytywka_spark.feed.ranking import Count

Counts = Mapping[tuple[str, str], Count]


def counts_told(results: Iterable[Mapping[str, Any]]) -> Counts:
    """What tasks told, added up."""
    found: dict[tuple[str, str], list[Count]] = {}
    for line in results:
        for stage, rule, *numbers in line[STAGES]:
            found.setdefault((stage, rule), []).append(Count(*numbers))
    return {key: reduce(add, parts) for key, parts in found.items()}


def stage_rows(day: date, counts: Counts, feed_id: str, version: str) -> list[dict[str, Any]]:
    """A row a stage and rule; `version`: of the model."""
    return [
        {
            "feed_date": day,
            "stage": stage,
            "rule": rule,
            "users": count.users,
            "tracks_in": count.tracks_in,
            "tracks_out": count.tracks_out,
            "seconds": count.seconds,
            "feed_id": feed_id,
            "model_version": version,
        }
        for (stage, rule), count in counts.items()
    ]


def counts_of(rows: Sequence[Mapping[str, Any]]) -> Counts:
    """Rows of the table back as counts."""
    return {
        (row["stage"], row["rule"]): Count(row["users"], row["tracks_in"], row["tracks_out"], row["seconds"])
        for row in rows
    }

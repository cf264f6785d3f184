"""Answers as JSON. A null of the table's is null; what JSON has no number for is text: NaN, Infinity."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import ConfigDict, TypeAdapter

from pozytywka_spark.featurestore.client import Answer, ServiceAnswer
from pozytywka_spark.featurestore.codec import Doubles, Flags
from pozytywka_spark.featurestore.record import MISSING, PRESENT, ServiceRecord, ViewRecord
from pozytywka_spark.models.serving_model import ServingModel

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN: TypeAdapter[Any] = TypeAdapter(Any, config=ConfigDict(ser_json_inf_nan="strings"))
Row = dict[str, Any]


def features_body(service: str, keys: Sequence[int | str], answer: ServiceAnswer) -> bytes:
    """`service`, `names` and `rows`: `key`, `status`, `values` (null where not present) and, of each view,
    `status`, `known_at`, `version`: beside them of a service of one view, else under `views`.
    """
    values = plain_values(answer.values, answer.nulls)
    rows: list[Row] = [
        {"key": key, "status": status, "values": numbers}
        for key, status, numbers in zip(keys, answer.status.tolist(), values, strict=True)
    ]
    if len(answer.by_view) == 1:
        (only,) = answer.by_view.values()
        for row, told in zip(rows, _told(only), strict=True):
            row |= told
    else:
        for row in rows:
            row["views"] = {}
        for view, mine in answer.by_view.items():
            for row, told in zip(rows, _told(mine), strict=True):
                row["views"][view] = told
    as_of = max(each.as_of for each in answer.by_view.values())
    return as_json({"service": service, "as_of": iso(as_of), "names": answer.names, "rows": rows})


def scores_body(
    model: ServingModel, keys: Sequence[int | str], answer: Answer, probabilities: Doubles
) -> bytes:
    """`model`, `label` and `rows`: `key`, `status`, `probability` (null where not present), `known_at`,
    `version`. `probabilities` are those of the rows that are present, in their order.
    """
    there = iter(probabilities.tolist())
    rows = [
        {"key": key, "probability": next(there) if told["status"] == PRESENT else None, **told}
        for key, told in zip(keys, _told(answer), strict=True)
    ]
    return as_json(
        {
            "model": {"name": model.name, "version": model.version},
            "label": model.label,
            "as_of": iso(answer.as_of),
            "rows": rows,
        }
    )


def views_body(views: Mapping[str, ViewRecord], services: Mapping[str, ServiceRecord]) -> bytes:
    """`views` and `services` that can be asked for."""
    told = [
        {
            "view": record.view,
            "entity": record.entity,
            "kind": record.kind,
            "columns": record.columns,
            "number": record.number,
            "table": record.table,
            "version": record.table_version,
            "newest": iso(record.newest),
            "ttl_seconds": None if record.ttl is None else record.ttl / 1e6,
            "clock": record.clock,
            "owner": record.owner,
        }
        for record in views.values()
    ]
    read = [
        {"service": service.service, "views": service.views, "columns": [name for _, name in service.columns]}
        for service in services.values()
    ]
    return as_json({"views": told, "services": read})


def plain_values(values: Doubles, nulls: Flags) -> list[list[float | None]]:
    """Rows of numbers, None where null."""
    rows: list[list[float | None]] = values.tolist()
    if nulls.any():
        for row, place in np.argwhere(nulls).tolist():
            rows[row][place] = None
    return rows


def as_json(content: object) -> bytes:
    """One line; ten times as fast as Python's own where it is numbers, which read back to the last bit."""
    return _PLAIN.dump_json(content)


def error_body(line: str) -> bytes:
    """`{"error": …}`."""
    return json.dumps({"error": " ".join(line.split())}).encode()  # whatever signs a caller sent


@lru_cache(maxsize=1024)
def iso(moment: int) -> str:
    """Microseconds since 1970 as ISO 8601 in UTC; as they are where a calendar has no such year.

    >>> iso(1682899200000000), iso(1)
    ('2023-05-01T00:00:00Z', '1970-01-01T00:00:00.000001Z')
    """
    try:
        time = _EPOCH + timedelta(microseconds=moment)
    except OverflowError:
        return str(moment)
    return time.isoformat().replace("+00:00", "Z")


def _told(answer: Answer) -> list[Row]:
    """`status`, `known_at` and `version` of each row, the last two null where it is missing."""
    return [
        {"status": status, "known_at": None, "version": None}
        if status == MISSING
        else {"status": status, "known_at": iso(known_at), "version": version}
        for status, known_at, version in zip(
            answer.status.tolist(), answer.known_at.tolist(), answer.version.tolist(), strict=True
        )
    ]

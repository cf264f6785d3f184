"""Cases put back into the queue: the majority of three people counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.schemas import SECOND_LOOKS

LOOKS = 3


def ask_again(lake: Lake, cases: Sequence[str], at: datetime, build_id: str, *, asked_for: str) -> None:
    """Ask for second looks, at a case once for each build."""
    if not cases:
        return
    rows = [
        {
            "case_id": case,
            "requested_at": at,
            "looks": LOOKS,
            "build_id": build_id,
            "asked_for": asked_for,
        }
        for case in sorted(set(cases))
    ]
    lake.upsert(pa.Table.from_pylist(rows, schema=arrow_schema(SECOND_LOOKS.schema)), SECOND_LOOKS)

"""A lake with cases, decisions and events of a few accounts, written straight into its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import arrow_schema
from pozytywka_spark.schemas import Table, signals_table

START = date(2023, 3, 1)
SIGNALS = signals_table(["pace", "repeats"])


def day(number: float) -> datetime:
    """So many days after the start."""
    return datetime(2023, 3, 1, tzinfo=UTC) + timedelta(days=number)


def rows_of(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as the table has them; what a row leaves out is null."""
    whole = [{name: row.get(name) for name in table.columns} for row in rows]
    return pa.Table.from_pylist(whole, schema=arrow_schema(table.schema))


def put(lake: Lake, table: Table, *rows: Mapping[str, Any]) -> None:
    """Append rows."""
    lake.append(rows_of(table, rows), table)


def case(
    name: str, users: int | Sequence[int], number: int, group: str = "pace", **more: Any
) -> dict[str, Any]:
    """An account's case of the day so many days after the start; of several accounts a ring's."""
    accounts = [users] if isinstance(users, int) else list(users)
    its_day = START + timedelta(days=number)
    cut_off = day(number + 1)
    return {
        "case_id": name,
        "group": group,
        "accounts": accounts,
        "day": its_day,
        "cut_off": cut_off,
        "opened_at": cut_off,
        "rules": ["too fast"],
        "harm": 10.0,
        "month": its_day.replace(day=1),
        **more,
    }


def play(user: int, number: float, track: str = "t1", kind: str = "PLAY") -> dict[str, Any]:
    """An event so many days after the start."""
    moment = day(number)
    return {
        "event_id": f"{user} {number} {track} {kind}".encode(),
        "event_time": moment,
        "event_type": kind,
        "user_id": user,
        "session_id": user,
        "track_id": track,
        "repaired": False,
        "event_month": moment.date().replace(day=1),
        "user_bucket": 0,
    }


def contents(lake: Lake, *tables: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of tables, in an order of their own; none of one that isn't there."""
    return {
        name: sorted(lake.rows(name).to_pylist(), key=repr) if lake.exists(name) else [] for name in tables
    }


OUTCOME = ("verdicts", "verdicts_aside", "releases", "fouls", "blocks", "appeals", "discounted_plays")


def signal_row(user: int, number: int, pace: float) -> dict[str, Any]:
    """An account's signals of a day."""
    its_day = START + timedelta(days=number)
    return {
        "user_id": user,
        "day": its_day,
        "pace": pace,
        "repeats": 1.0,
        "month": its_day.replace(day=1),
        "user_bucket": 0,
    }


def answers(*rows: tuple[str, str, str, float]) -> list[pl.DataFrame]:
    """Rows as they are read from a file."""
    names = ["case_id", "reviewer", "verdict", "decided_at", "trouble"]
    whole = [(name, who, word, day(when).isoformat(), None) for name, who, word, when in rows]
    return [pl.DataFrame(whole, schema=dict.fromkeys(names, pl.String), orient="row")]


def appeals(*rows: tuple[int, str, float, str | None, str | None, float | None]) -> list[pl.DataFrame]:
    """Rows of appeals, the same way."""
    names = ["user_id", "case_id", "appealed_at", "reviewer", "verdict", "decided_at", "trouble"]
    whole = [
        (
            str(user),
            name,
            day(made).isoformat(),
            who,
            word,
            None if when is None else day(when).isoformat(),
            None,
        )
        for user, name, made, who, word, when in rows
    ]
    return [pl.DataFrame(whole, schema=dict.fromkeys(names, pl.String), orient="row")]

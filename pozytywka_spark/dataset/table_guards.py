"""The guards of the training set, on what the table's tasks told of each month: maturity, purge, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pozytywka_spark.dataset.splits import MonthCount
from pozytywka_spark.dataset.table import SIDES
from pozytywka_spark.errors import GuardError
from pozytywka_spark.hashing.digest import Digest
from pozytywka_spark.months import TimeSplit
from pozytywka_spark.names import TEST, TRAIN, VALIDATION

Results = Sequence[Mapping[str, Any]]
_HASHED = ("user_id", "month", "cut_off", "horizon_end", "side", "label")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_table(facts: Results, counts: Sequence[MonthCount], split: TimeSplit) -> None:
    """Raise `GuardError` if a row is immature, if a label horizon passes the first cut-off of a later side,
    or if the rows are not exactly the labels' (a key twice, a label without features).

    `facts`: the facts of `table_work.MonthTable`.
    """
    _check_mature(facts)
    for earlier, later in ((TRAIN, VALIDATION), (TRAIN, TEST), (VALIDATION, TEST)):
        _check_purge(_of(facts, earlier), _of(facts, later), (earlier, later))
    for side, months in split.sides.items():
        expected = sum(count.rows for count in counts if count.month in months)
        labels, rows, keys = (_sum(_of(facts, side), name) for name in ("labels", "rows", "keys"))
        if not expected == labels == rows == keys:
            raise GuardError(
                f"guard rows: {side} has {expected} mature labels, but {rows} rows with features "
                f"of {keys} users and months; build the features again"
            )


def content_of(results: Results, order: Sequence[str]) -> str:
    """A digest of the rows, whatever their order and files: equal content, equal digest."""
    digests = (Digest(*facts["digest"]) for facts in results if facts["rows"])
    return sum(digests, Digest()).named([*_HASHED, *sorted(order)])


def _of(results: Results, side: str) -> list[Mapping[str, Any]]:
    return [facts for facts in results if SIDES[facts["side"]] == side]


def _sum(results: Results, name: str) -> int:
    return sum(facts[name] for facts in results)


def _check_mature(results: Results) -> None:
    wrong = sorted((facts["month"], *facts["immature"]) for facts in results if "immature" in facts)
    for month, user, end in wrong[:1]:
        raise GuardError(
            f"guard maturity: {_row(user, month)} is immature: its horizon ends at {end}, "
            "past the data's end; leave it out of training and evaluation"
        )


def _check_purge(earlier: Results, later: Results, names: tuple[str, str]) -> None:
    last = min(
        ((-facts["last_horizon"], facts["last_user"], facts["month"]) for facts in earlier if facts["rows"]),
        default=None,
    )
    first = min((facts["first_cut_off"] for facts in later if facts["rows"]), default=None)
    if last is not None and first is not None and -last[0] > first:
        raise GuardError(
            f"guard purge: {names[0]} row {_row(last[1], last[2])} has a horizon up to {_time(-last[0])}, "
            f"past the first {names[1]} cut-off {_time(first)}; leave at least the months in between out"
        )


def _row(user: int, month: str) -> str:
    return f"user {user}, month {date.fromisoformat(month):%Y-%m}"


def _time(micros: int) -> str:
    return f"{_EPOCH + timedelta(microseconds=micros):%Y-%m-%d %H:%M:%S}"

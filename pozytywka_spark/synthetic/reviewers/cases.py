"""Cases as a queue hands them out, and what is true of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pozytywka_spark.errors import DataError
from pozytywka_spark.months import as_utc

BAD, OK, UNSURE = "bad", "ok", "unsure"
RING_DAYS = 60  # before its cut-off, that a case of several accounts is about
MOST = 2 / 3  # of a case's accounts must cheat, or be honest, to be sure of it


@dataclass(frozen=True)
class Case:
    """A case; times are UTC."""

    case_id: str
    group: str
    accounts: tuple[int, ...]
    day: datetime
    cut_off: datetime
    opened_at: datetime


@dataclass(frozen=True)
class Cheat:
    """An account cheats in [starts_at, ends_at)."""

    user_id: int
    starts_at: datetime
    ends_at: datetime


def read_cases(text: str, place: str) -> list[Case]:
    """The lines of a queue, in their order. Raises `DataError` for the first that is no case."""
    cases = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            accounts = tuple(int(account) for account in row["accounts"])
            times = [moment(row[name]) for name in ("day", "cut_off", "opened_at")]
            cases.append(Case(str(row["case_id"]), str(row["group"]), accounts, *times))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(
                f"{place}, line {number}: no case ({type(error).__name__}: {error}); expected JSON with "
                "case_id, group, accounts, day, cut_off and opened_at, as `moderation queue --out` writes"
            ) from None
    return cases


def moment(text: str) -> datetime:
    """A time as ISO, UTC if it names no zone."""
    return as_utc(datetime.fromisoformat(text))


def cheats_by_account(rows: Sequence[Mapping[str, str | int | bool]]) -> dict[int, list[Cheat]]:
    """Those who cheat, from the lines of the truth's `accounts`."""
    result: dict[int, list[Cheat]] = {}
    for row in rows:
        if row["bad"]:
            cheat = Cheat(int(row["user_id"]), moment(str(row["starts_at"])), moment(str(row["ends_at"])))
            result.setdefault(cheat.user_id, []).append(cheat)
    return result


def truth_about(case: Case, cheats: Mapping[int, Sequence[Cheat]]) -> str:
    """Bad if the account cheats on the day, or most accounts of several do in the days before the cut-off."""
    start, end = case.day, case.day + timedelta(days=1)
    if len(case.accounts) > 1:
        start, end = case.cut_off - timedelta(days=RING_DAYS), case.cut_off
    guilty = sum(
        any(cheat.starts_at < end and start < cheat.ends_at for cheat in cheats.get(account, ()))
        for account in case.accounts
    )
    share = guilty / max(1, len(case.accounts))
    if share >= MOST:
        return BAD
    return OK if share <= 1 - MOST else UNSURE

"""Learn a slot's policy from its daily sums, but for the latest days, which are the gate's; register it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import polars as pl

from pozytywka_spark.bandits.genres import genres_of
from pozytywka_spark.bandits.policies import FILE, tracking_of
from pozytywka_spark.bandits.policy import policy_text
from pozytywka_spark.bandits.slots import SEASONAL, slot_of
from pozytywka_spark.bandits.sum_days import read_books
from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.errors import DataError
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import ARTISTS, BANDIT_DAYS, EVENTS, SLOT_DECISIONS
from pozytywka_spark.tracking import plain_models, registry, runs

FORMAT = 1
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Learnt:
    """The version that holds the policy; `days`: first and last that it learnt from.

    `unchanged`: it was there before.
    """

    slot: str
    version: int
    days: tuple[date, date]
    arms: int
    decisions: int
    unchanged: bool


def learn(settings: Settings, lake: Lake, slot: str, until: date | None = None) -> Learnt:
    """Learn from the sums of days before `until` (of all) but for the last `bandits.holdout_days` of them.

    The same sums and settings are learnt from once: the version there is becomes the challenger. Raises
    `DataError` if no day is left to learn from.
    """
    plan = slot_of(settings, slot)
    days = days_of(lake, slot, until)
    trained = days[: -settings.bandits.holdout_days]
    rows = _sums(lake, slot, [day for day, _ in trained])
    if not rows.height:
        raise DataError(_why_nothing(slot, days, trained, settings.bandits.holdout_days))
    first, last = trained[0][0], trained[-1][0]
    genres = genres_of(lake, _arms(plan.arms, rows)) if plan.kind == SEASONAL else {}
    inputs = _named(settings, slot, [row["inputs"] for _, row in trained], genres, until)
    tracking = tracking_of(settings, slot)
    there = registry.find_version(tracking, inputs)
    arms = _arms(plan.arms, rows)
    decisions = sum(int(row["summed"]) for _, row in trained)
    if there is None:
        document = _document(settings, slot, plan.kind, rows, arms, genres, until or days[-1][0] + _DAY)
        there = plain_models.register_files(
            tracking,
            f"bandit {slot} · {first}..{last}",
            plain_models.PlainModel(
                kind="bandit",
                inputs=inputs,
                files={FILE: policy_text(document).encode()},
                lake_root=lake.root,
                versions=_versions(lake),
                tags={"slot": slot, "first_day": str(first), "last_day": str(last)},
                params={"slot": slot, "first_day": first, "last_day": last, "arms": len(arms)},
                metrics={"decisions": float(decisions), "days": float(len(trained))},
            ),
            lambda run_id: runs.log_json(tracking, run_id, settings.resolved()["bandits"], "settings.json"),
        )
        unchanged = False
    else:
        unchanged = True
    challenger = registry.aliased(tracking, registry.CHALLENGER)
    if challenger is None or challenger.number < there.number:
        registry.set_alias(tracking, registry.CHALLENGER, there.number)
    return Learnt(slot, there.number, (first, last), len(arms), decisions, unchanged)


_DAY = timedelta(days=1)


def days_of(lake: Lake, slot: str, until: date | None = None) -> list[tuple[date, Mapping[str, Any]]]:
    """The slot's summed days with a mature decision before `until`, in order, each with its row of the books.

    Raises `DataError` if there is none.
    """
    books = read_books(lake)
    if not books:
        raise DataError(f"nothing is summed in {lake.root}: run bandits take-in and bandits sum first")
    found = [
        (day, row)
        for (name, day), row in sorted(books.items())
        if name == slot and row["mature"] and (until is None or day < until)
    ]
    if not found:
        logged = sum(int(row["decisions"]) for (name, _), row in books.items() if name == slot)
        before = f" before {until}" if until else ""
        raise DataError(
            f"slot {slot}: none of {logged:,} decisions{before} is mature; "
            "expected some whose window is over, or whose reward is logged"
        )
    return found


def read_sums(lake: Lake, slot: str) -> pl.DataFrame:
    """The slot's rows of `bandit_days`; days and cells, not decisions, so that a process holds them."""
    rows = pl.from_arrow(lake.rows(BANDIT_DAYS.name, list(BANDIT_DAYS.columns)))
    assert isinstance(rows, pl.DataFrame)
    return rows.filter(pl.col("slot") == slot).drop("month").sort("day", "arm", "group", "seen")


def _sums(lake: Lake, slot: str, days: Sequence[date]) -> pl.DataFrame:
    return read_sums(lake, slot).filter(pl.col("day").is_in(list(days)))


def _document(
    settings: Settings,
    slot: str,
    kind: str,
    rows: pl.DataFrame,
    arms: Sequence[str],
    genres: Mapping[str, str],
    day: date,
) -> Mapping[str, Any]:
    if kind == SEASONAL:
        from pozytywka_spark.bandits.seasonal import learn as learn_seasonal

        return learn_seasonal(rows.to_pandas(), slot, settings, genre_of=genres, arms=arms, day=day)
    from pozytywka_spark.bandits.softmax.learn import Settings as How
    from pozytywka_spark.bandits.softmax.learn import learn as learn_softmax

    said = settings.bandits.softmax
    how = How(
        shrinkage=_number(said.shrinkage),
        gamma=_number(said.gamma),
        half_life_days=_number(said.half_life_days),
        temperature=_number(said.temperature),
        window=said.window,
        explore=settings.bandits.explore,
    )
    declared = settings.bandits.slots[slot].arms
    rules = {
        arm: [rule.model_dump(mode="json") for rule in declared[arm].rules]
        for arm in arms
        if arm in declared and declared[arm].rules
    }
    # arms that were taken out of the slot since are in the log still
    mine = rows.filter(pl.col("arm").is_in(list(arms)))
    return learn_softmax(mine, slot, how, arms=arms, rules=rules, salt=slot)


def _number(said: Literal["estimated"] | float) -> float | None:
    return None if said == "estimated" else float(said)


def _arms(declared: Sequence[str], rows: pl.DataFrame) -> list[str]:
    """Those declared; of a slot that declares none, those of the log."""
    return list(declared) or rows.get_column("arm").unique().sort().to_list()


def _named(
    settings: Settings,
    slot: str,
    inputs: Sequence[str],
    genres: Mapping[str, str],
    until: date | None,
) -> str:
    chosen = deciding(settings, "bandits")
    chosen["bandits.slots"] = {slot: settings.bandits.slots[slot].model_dump(mode="json")}
    day = str(until) if settings.bandits.slots[slot].kind == SEASONAL else ""
    decisive = [FORMAT, slot, list(inputs), sorted(genres.items()), day, sorted(chosen.items())]
    return fingerprint_of(decisive, default=str)


def _versions(lake: Lake) -> dict[str, int]:
    tables = (SLOT_DECISIONS.name, BANDIT_DAYS.name, EVENTS.name, ARTISTS.name)
    return {name: lake.version(name) for name in tables if lake.exists(name)}


def _why_nothing(slot: str, days: Sequence[Any], trained: Sequence[Any], holdout: int) -> str:
    if not trained:
        return (
            f"slot {slot}: {len(days)} days have mature decisions and bandits.holdout_days leaves the last "
            f"{holdout} to the gate: nothing to learn from; log more days"
        )
    return (
        f"slot {slot}: none of the decisions of {len(trained)} days has probabilities of all eligible arms: "
        "such a log can be evaluated, not learnt from"
    )

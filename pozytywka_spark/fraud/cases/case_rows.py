"""Account-days of a month and what holds of them, rings of it -> cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from pozytywka_spark.fraud.rules.grammar import RINGS, UNKNOWN, Rule
from pozytywka_spark.hashing.dice import dice, falls_below
from pozytywka_spark.hashing.fingerprints import fingerprint_of
from pozytywka_spark.months import next_month

FARTHEST, AT_RANDOM, RING = "farthest_from_the_rest", "at_random", "ring"  # the rules of cases without one
_TIME = pl.Datetime("us", "UTC")
CASE_ROWS = pl.Schema(
    {
        "case_id": pl.String(),
        "group": pl.String(),
        "accounts": pl.List(pl.Int64()),
        "day": pl.Date(),
        "cut_off": _TIME,
        "opened_at": _TIME,
        "rules": pl.List(pl.String()),
        "ring": pl.String(),
        "harm": pl.Float64(),
    }
)


def case_id(group: str, day: date, accounts: Sequence[int]) -> str:
    """A case's name: 32 hex digits of SHA-256 of the JSON `[group, "YYYY-MM-DD", [accounts, sorted]]`."""
    return fingerprint_of([group, day.isoformat(), sorted(accounts)])


def rule_cases(days: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """`CASE_ROWS` of account-days (user_id, day, signals): one a group with a rule
    that holds, all such rules named.
    """
    found = [CASE_ROWS.to_frame()]
    for group in sorted({rule.group for rule in rules}):
        mine = [rule for rule in rules if rule.group == group]
        names = pl.concat_list(
            pl.when(rule.holds()).then(pl.lit(rule.name)).otherwise(None) for rule in mine
        ).list.drop_nulls()
        held = days.select("user_id", "day", "plays", names.alias("rules"))
        found.append(_day_cases(held.filter(pl.col("rules").list.len() > 0), group))
    return pl.concat(found)


def unruled(days: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """Of the rows of account-days those that no rule knows."""
    return days.filter(~pl.any_horizontal(rule.holds() for rule in rules)) if rules else days


def random_days(days: pl.DataFrame, share: float, seed: int) -> pl.DataFrame:
    """About this share of the rows of account-days, by the dice of account and day: the same in every run."""
    return days.filter(falls_below(dice(days, seed, ("user_id", "day")), share))


def unknown_cases(farthest: pl.DataFrame, at_random: pl.DataFrame) -> pl.DataFrame:
    """`CASE_ROWS` of the group `unknown` from account-days (user_id, day, plays) that no rule knows."""
    columns = ["user_id", "day", "plays"]
    both = pl.concat(
        [
            farthest.select(columns).with_columns(rules=pl.lit(FARTHEST)),
            at_random.select(columns).with_columns(rules=pl.lit(AT_RANDOM)),
        ]
    )
    held = both.group_by(columns).agg(pl.col("rules").unique().sort())
    return _day_cases(held, UNKNOWN)


def ring_cases(rings: pl.DataFrame, harm: Mapping[str, float]) -> pl.DataFrame:
    """`CASE_ROWS` of rows of the table `rings`: one a month and ring; `harm`: its tracks' plays, by ring."""
    rows = []
    for (month, ring), members in rings.sort("ring", "user_id").group_by(
        "month", "ring", maintain_order=True
    ):
        assert isinstance(month, date)
        accounts, end = members.get_column("user_id").to_list(), next_month(month)
        day = end - timedelta(days=1)
        rows.append(
            {
                "case_id": case_id(RINGS, day, accounts),
                "group": RINGS,
                "accounts": accounts,
                "day": day,
                "cut_off": _midnight(end),
                "opened_at": _midnight(end),
                "rules": [RING],
                "ring": ring,
                "harm": harm.get(str(ring), 0.0),
            }
        )
    return pl.DataFrame(rows, schema=CASE_ROWS)


def _day_cases(held: pl.DataFrame, group: str) -> pl.DataFrame:
    """A case of each account-day: user_id, day, plays, rules."""
    ordered = held.sort("day", "user_id")
    ids = [case_id(group, day, [user]) for user, day in ordered.select("user_id", "day").iter_rows()]
    end = (pl.col("day") + pl.duration(days=1)).cast(_TIME)
    return ordered.select(
        pl.Series("case_id", ids, pl.String),
        group=pl.lit(group),
        accounts=pl.concat_list("user_id"),
        day="day",
        cut_off=end,
        opened_at=end,
        rules="rules",
        ring=pl.lit(None, pl.String),
        harm=pl.col("plays").cast(pl.Float64),
    ).cast(CASE_ROWS)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

"""What other rules would have found in the days that are scanned: counts only, nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.fraud.cases.judged import judged
from pozytywka_spark.fraud.declared.catalogue import NAMES
from pozytywka_spark.fraud.rules.grammar import Rule
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile, batches
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.schemas import CASES, VERDICTS, signals_table

_AT_ONCE = 250_000


@dataclass
class Tried:
    """A rule's finds: account-days, those that rules in force flag too (`known`; `overlap` by rule), and what
    people have said of cases of theirs.
    """

    rule: Rule
    days: int = 0
    harm: float = 0.0
    known: int = 0
    overlap: dict[str, int] = field(default_factory=dict)
    bad: int = 0
    ok: int = 0


@dataclass(frozen=True)
class Backtest:
    """Rules tried on `days` account-days of `months` months."""

    months: int
    days: int
    rules: Sequence[Tried]


@dataclass(frozen=True)
class MonthDays:
    """A month's signals and cases."""

    month: date
    signals: tuple[DataFile, ...]
    cases: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in (*self.signals, *self.cases))


@dataclass(frozen=True)
class TryRules:
    """Work on `MonthDays`: tells of each of `rules` what `Tried` holds; `present`: the rules in force."""

    rules: tuple[Rule, ...]
    present: tuple[Rule, ...]
    verdicts: tuple[DataFile, ...]

    def __call__(self, items: Sequence[MonthDays], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a month, number of days and rule."""
        for item in items:
            answers = self._answers(item, files)
            for some in batches(item.signals, _AT_ONCE):
                days = files.read(some, ["user_id", "day", *NAMES])
                yield {"days": days.height}
                yield from (self._tried(rule, days, answers) for rule in self.rules)

    def _tried(self, rule: Rule, days: pl.DataFrame, answers: pl.DataFrame) -> dict[str, Any]:
        held = days.filter(rule.holds())
        flags = held.select(present.holds().alias(present.name) for present in self.present)
        known = flags.select(pl.any_horizontal(pl.all())).to_series().sum() if self.present else 0
        said = held.select("user_id", "day").join(answers, on=["user_id", "day"]).get_column("is_bad")
        return {
            "rule": rule.name,
            "days": held.height,
            "harm": float(held.get_column("plays").sum()),
            "known": int(known),
            "overlap": {name: int(flags.get_column(name).sum()) for name in flags.columns},
            "bad": int(said.sum()),
            "ok": int((~said).sum()),
        }

    def _answers(self, item: MonthDays, files: TaskFiles) -> pl.DataFrame:
        """user_id, day and `is_bad` of account-days of which people have said something: bad if once so."""
        schema = {"user_id": pl.Int64(), "day": pl.Date(), "is_bad": pl.Boolean()}
        if not item.cases or not self.verdicts:
            return pl.DataFrame(schema=schema)
        cases = files.read(item.cases, ["case_id", "accounts", "day", "ring"]).filter(
            pl.col("ring").is_null()
        )
        said = cases.join(judged(self.verdicts, files), on="case_id").explode("accounts")
        return said.group_by(pl.col("accounts").alias("user_id"), "day").agg(pl.col("is_bad").any())


def backtest(
    lake: Lake, rules: Sequence[Rule], present: Sequence[Rule], months: tuple[date, date] | None
) -> Backtest:
    """Try rules on all days scanned, or those of the months between two. Raises `DataError` without any."""
    table = signals_table(NAMES).name
    if not lake.exists(table):
        raise DataError(f"table {table} is not in {lake.root}: run fraud scan first")
    with lake.tasks() as tasks:
        items = month_days(lake, tasks, months)
        if not items:
            raise DataError("no account-day is scanned of these months: run fraud scan first, or name others")
        work = TryRules(tuple(rules), tuple(present), data_files(lake, tasks, VERDICTS.name))
        done = tasks.run(
            items, work, weight=lambda item: item.size, named=lambda item: f"signals of {item.month:%Y-%m}"
        )
    tried = {
        rule.name: Tried(rule, overlap=dict.fromkeys((one.name for one in present), 0)) for rule in rules
    }
    for line in done.results:
        if "rule" in line:
            mine = tried[line["rule"]]
            for name in ("days", "harm", "known", "bad", "ok"):
                setattr(mine, name, getattr(mine, name) + line[name])
            for name, count in line["overlap"].items():
                mine.overlap[name] += count
    days = sum(line["days"] for line in done.results if "rule" not in line)
    return Backtest(len(items), days, list(tried.values()))


def month_days(lake: Lake, tasks: Tasks, months: tuple[date, date] | None) -> list[MonthDays]:
    """The months scanned, or those between two, with their files."""
    signals = _by_month(data_files(lake, tasks, signals_table(NAMES).name))
    cases = _by_month(data_files(lake, tasks, CASES.name))
    wanted = [month for month in sorted(signals) if months is None or months[0] <= month <= months[1]]
    return [MonthDays(month, tuple(signals[month]), tuple(cases.get(month, ()))) for month in wanted]


def _by_month(files: Sequence[DataFile]) -> dict[date, list[DataFile]]:
    found: dict[date, list[DataFile]] = {}
    for file in files:
        found.setdefault(file.partition["month"], []).append(file)
    return found

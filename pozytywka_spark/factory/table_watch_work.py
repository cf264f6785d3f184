"""A group of a later table, decided by a side and compared with its verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from pozytywka_spark.factory.boosters import boosters_of
from pozytywka_spark.factory.decide_work import Decider, Ruling, decisions, is_audited, scores_of
from pozytywka_spark.factory.inputs import Group
from pozytywka_spark.factory.proof.cases import NOT_LOOKED
from pozytywka_spark.factory.split import first_of_witnesses
from pozytywka_spark.factory.tally import RIGHT, Against, Tally, tally
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles


@dataclass(frozen=True)
class CompareTable:
    """Work on a group's rows: tells the `Tally` of a side's decisions about cases after `since` and up to
    `before` (microseconds), an account's first one for all; `audited`: those alone that audits have drawn.
    Where the table `has_looks`, cases without them wait if their verdict is against the side; else verdicts
    count as they are.
    """

    side: str
    decider: Decider
    boosters: tuple[DataFile, ...]
    ruling: Ruling
    since: int
    before: int
    audited: bool
    has_looks: bool
    limit: float

    def __call__(self, items: Sequence[Group], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a group."""
        for group in items:
            key = (self.decider.build_id, group.name)
            booster = boosters_of([key], self.boosters, files)[key]
            parts = []
            for parcel in group.rows:
                rows = files.read([parcel])
                time = pl.col("cut_off")
                rows = rows.filter((time > self.since) & (time <= self.before))
                if self.audited:
                    rows = rows.filter(is_audited(rows.get_column("case_id"), self.ruling))
                if not rows.height:
                    continue
                score, _ = scores_of(group.name, rows, self.ruling.names, self.ruling.names, booster)
                said = pl.Series("decision", decisions(score, self.decider.sides), pl.String)
                columns = ["case_id", "accounts", "cut_off", "verdict", "looked"]
                parts.append(rows.select(columns).filter(said == self.side))
            yield asdict(self._tally(parts))

    def _tally(self, parts: Sequence[pl.DataFrame]) -> Tally:
        if not parts:
            return tally(Against([], [], [], []), self.limit, 0)
        first = first_of_witnesses(pl.concat(parts).sort("cut_off", "case_id"))
        verdict, looked, right = pl.col("verdict"), pl.col("looked"), RIGHT[self.side]
        settled = (looked != NOT_LOOKED) | pl.lit(not self.has_looks)
        final = pl.when(looked == NOT_LOOKED).then(verdict).otherwise(looked)
        flags = first.select(
            "cut_off",
            wrong=settled & (final != right),
            waits=~settled & (verdict != right),
            at_first=verdict != right,
        )
        columns = (flags.get_column(name).to_list() for name in ("wrong", "waits", "at_first", "cut_off"))
        return tally(Against(*columns), self.limit, 0)

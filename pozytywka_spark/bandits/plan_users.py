"""What a policy decides for all free users of a day, by tasks. No Spark here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_spark.bandits.last_shown import LastShown, Numbers
from pozytywka_spark.bandits.plan_work import with_decisions
from pozytywka_spark.bandits.policy import Policy
from pozytywka_spark.bandits.rules import Rules
from pozytywka_spark.bandits.rules_frame import with_eligible
from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.hashing.slices import slice_of
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.moderation.blocked import Blocked
from pozytywka_spark.months import start_micros
from pozytywka_spark.schemas import BANDIT_PLAN

PLANNED, NOBODY_ELIGIBLE, CHOSEN = "planned", "without an arm", "chosen"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
USER, PREMIUM = "user_id", "premium_user"
_LINE = (
    "decision_id", "slot", "user_id", "decided_at", "group", "eligible", "chosen", "probability",
    "probabilities", "days_since", "policy", "stream",
)  # fmt: skip


@dataclass(frozen=True)
class UserFiles:
    """What is known of users. `features`: of the last month that was over, of which the rules read
    `feature_columns`; `group`: the column of `users` that says their group.
    """

    users: tuple[DataFile, ...]
    user_columns: tuple[str, ...]
    features: tuple[DataFile, ...]
    feature_columns: tuple[str, ...]
    group: str
    blocked: Blocked


@dataclass(frozen=True)
class PlanItem:
    """A bucket of users (of which a part of `parts`), the log's files of it, and purchases of premium."""

    bucket: int
    part: int
    parts: int
    log: tuple[DataFile, ...]
    bought: tuple[Parcel, ...]

    @property
    def size(self) -> int:
        """What its work weighs: all users are read for it."""
        return sum(file.size for file in self.log) + 1


@dataclass(frozen=True)
class PlanUsers:
    """Work on `PlanItem`s: writes `bandit_plan`, tells how many are PLANNED and what was CHOSEN."""

    slot: str
    policy: Policy
    name: str
    rules: Rules
    day: date
    buckets: int
    known: UserFiles

    def __call__(self, items: Sequence[PlanItem], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line an item."""
        for item in items:
            users = self._free(item, files)
            eligible = with_eligible(users, self.policy.arms, self.rules)
            asked = eligible.filter(pl.col("eligible").list.len() > 0)
            dated = asked.select(USER, "group", "eligible", pl.lit(str(self.day)).alias("key"))
            shown = self._shown(item, asked.get_column(USER).to_numpy(), files)
            days = shown.days_since(asked.get_column("eligible"), start_micros(self.day))
            decided = with_decisions(self.policy, dated.with_columns(days.alias("days_since")))
            rows = decided.with_columns(
                pl.concat_str(pl.lit(f"{self.slot}-{self.day}-"), USER).alias("decision_id"),
                pl.lit(self.name).alias("policy"),
            ).sort(USER)
            files.write(BANDIT_PLAN, rows, {"slot": self.slot, "day": self.day, "user_bucket": item.bucket})
            yield {
                PLANNED: rows.height,
                NOBODY_ELIGIBLE: users.height - rows.height,
                CHOSEN: dict(rows.group_by("chosen").len().iter_rows()),
            }

    def _free(self, item: PlanItem, files: TaskFiles) -> pl.DataFrame:
        """The item's users without premium who aren't blocked: USER, `group`, what rules read."""
        known = self.known
        mine = (user_bucket(pl.col(USER), self.buckets) == item.bucket) & (
            slice_of(USER, item.parts, apart_from=self.buckets) == item.part
        )
        columns = list(dict.fromkeys([USER, PREMIUM, known.group, *known.user_columns]))
        users = files.shared(known.users, columns).filter(mine)
        bought = files.read(item.bought) if item.bought else pl.DataFrame(schema={USER: pl.Int64})
        early = pl.DataFrame(schema={USER: pl.Int64})
        if item.bought:
            early = bought.filter(pl.col("at") < start_micros(self.day)).select(USER)
        # who is marked and of whom no purchase is on record has had it all along
        unexplained = users.filter(pl.col(PREMIUM)).join(bought, on=USER, how="anti").select(USER)
        shut_out = known.blocked.users(files).select(USER)
        for others in (early, unexplained, shut_out):
            users = users.join(others, on=USER, how="anti")
        if known.features:
            features = files.shared(known.features, [USER, *known.feature_columns]).filter(mine)
            users = users.join(features, on=USER, how="left")
        else:
            users = users.with_columns(pl.lit(None).alias(name) for name in known.feature_columns)
        group = pl.col(known.group)
        if isinstance(users.schema[known.group], pl.List):
            group = group.list.first()
        return users.with_columns(
            group.cast(pl.String).fill_null("").alias("group"),
            pl.lit(WEEKDAYS[self.day.weekday()]).alias("weekday"),
        ).sort(USER)

    def _shown(self, item: PlanItem, users: Numbers, files: TaskFiles) -> LastShown:
        """When each arm was last shown to the users before the day."""
        shown = LastShown(users, self.policy.arms)
        for file in item.log:
            rows = files.read([file], ["slot", USER, "decided_at", "chosen"])
            shown.add(rows.filter(pl.col("slot") == self.slot))
        return shown


@dataclass(frozen=True)
class WriteLines:
    """Work on all files of a plan: writes them to the file `place`, a line a decision as of a log."""

    place: str

    def __call__(
        self, items: Sequence[tuple[DataFile, ...]], files: TaskFiles
    ) -> Iterator[Mapping[str, Any]]:
        """Tells how many."""
        for item in items:
            lines = 0
            with Path(self.place).open("wb") as out:
                for file in item:
                    rows = files.read([file])
                    day = pl.col("day").cast(pl.String) + pl.lit("T00:00:00Z")
                    rows.with_columns(day.alias("decided_at")).select(_LINE).write_ndjson(out)
                    lines += rows.height
            yield {PLANNED: lines}

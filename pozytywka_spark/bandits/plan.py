"""The plan of a day: what a slot's champion decides for all free users, and its export as lines of a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pozytywka_spark.bandits.log import earned_until
from pozytywka_spark.bandits.plan_users import (
    CHOSEN,
    NOBODY_ELIGIBLE,
    PLANNED,
    PREMIUM,
    USER,
    PlanItem,
    PlanUsers,
    UserFiles,
    WriteLines,
)
from pozytywka_spark.bandits.policies import NamedPolicy, find_policy
from pozytywka_spark.bandits.rules import Rules, parse_rules
from pozytywka_spark.bandits.slots import slot_of
from pozytywka_spark.bandits.take_in import buckets_of
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.moderation.blocked import blocked_from
from pozytywka_spark.months import next_month
from pozytywka_spark.names import BUY_PREMIUM
from pozytywka_spark.reports.files import unfinished
from pozytywka_spark.schemas import BANDIT_PLAN, SLOT_DECISIONS, USERS

_FEATURES = "features"
_USERS_AT_ONCE = 150_000
_OF_THE_DAY = ("group", "weekday")


@dataclass(frozen=True)
class Planned:
    """`users` have a decision, by arm in `chosen`; to `without` no arm may be shown."""

    slot: str
    day: date
    policy: str
    users: int
    without: int
    chosen: Mapping[str, int]


def plan(settings: Settings, lake: Lake, slot: str, day: date, asked: str = "champion") -> Planned:
    """Decide the day for all free users, and put it in `bandit_plan` in the place of what stands there.

    Raises `TrackingError` without a champion, `DataError` without users or for a rule on a column that isn't
    there.
    """
    slot_of(settings, slot)
    found = find_policy(settings, slot, asked)
    if not lake.exists(USERS.name):
        raise DataError(f"table {USERS.name} is not in {lake.root}: run the ingest job first")
    with lake.tasks() as tasks:
        work, items = _asked(settings, lake, tasks, slot, day, found)
        done = tasks.run(
            items,
            work,
            weight=lambda item: item.size + (1 << 22),
            named=lambda item: f"users of bucket {item.bucket}",
        )
        there = _partitions(lake, tasks, slot, day, {item.bucket for item in items})
        lake.replace_partitions(done.written, BANDIT_PLAN, there)
    chosen: Counter[str] = Counter()
    for line in done.results:
        chosen.update(line[CHOSEN])
    return Planned(
        slot,
        day,
        found.name,
        sum(line[PLANNED] for line in done.results),
        sum(line[NOBODY_ELIGIBLE] for line in done.results),
        dict(sorted(chosen.items())),
    )


def export_plan(lake: Lake, slot: str, day: date, out: str) -> int:
    """Write a planned day as JSON Lines, whole or not at all; how many. Raises `DataError` without a plan."""
    with lake.tasks() as tasks:
        files = tuple(
            file
            for file in data_files(lake, tasks, BANDIT_PLAN.name)
            if (file.partition["slot"], file.partition["day"]) == (slot, day)
        )
        if not files:
            raise DataError(f"no plan of slot {slot} for {day}: run bandits plan first")
        try:
            with unfinished(Path(out)) as place:
                done = tasks.run(
                    [files],
                    WriteLines(str(place.absolute())),
                    weight=lambda some: sum(file.size for file in some),
                    named=lambda _: f"the plan of {day}",
                )
        except OSError as error:
            raise DataError(f"--out {out}: can't be written: {error.strerror}") from None
    return int(done.results[0][PLANNED])


def _asked(
    settings: Settings, lake: Lake, tasks: Tasks, slot: str, day: date, found: NamedPolicy
) -> tuple[PlanUsers, list[PlanItem]]:
    policy = found.policy
    if not policy.arms:
        raise UsageError(f"policy {found.name} names no arms: nothing can be planned by it")
    rules = parse_rules(policy.rules)
    buckets = buckets_of(lake) or 1
    known = _known(settings, lake, tasks, slot, day, rules)
    bought = earned_until(lake, tasks, BUY_PREMIUM, day, buckets)
    log: dict[int, list[DataFile]] = {number: [] for number in range(buckets)}
    for shard in lake.shards(SLOT_DECISIONS.name, tasks) if lake.exists(SLOT_DECISIONS.name) else ():
        if shard.partition["day"] < day:
            log[shard.partition["user_bucket"]].extend(shard.files)
    users = sum(file.rows for file in known.users)
    parts = max(1, -(-users // (buckets * _USERS_AT_ONCE)))
    items = [
        PlanItem(number, part, parts, tuple(mine), bought.get(number, ()))
        for number, mine in log.items()
        for part in range(parts)
    ]
    return PlanUsers(slot, policy, found.name, rules, day, buckets, known), items


def _known(settings: Settings, lake: Lake, tasks: Tasks, slot: str, day: date, rules: Rules) -> UserFiles:
    group = settings.bandits.slots[slot].group
    of_users = [name for name in USERS.columns if name not in (USER, PREMIUM)]
    if group not in of_users:
        raise UsageError(
            f"bandits.slots.{slot}.group is {group}; expected a column of users: {', '.join(of_users)}"
        )
    wanted = {rule.column: rule for of_arm in rules.values() for rule in of_arm}
    schema = lake.schema(_FEATURES)
    of_features = list(schema.names) if schema is not None else []
    for column, rule in wanted.items():
        if column not in (*of_users, *of_features, *_OF_THE_DAY):
            what = "" if of_features else "; the table features isn't there: run the features job first"
            raise DataError(
                f"slot {slot}: the rule {rule} needs the column {column}, which neither users nor features "
                f"have{what}"
            )
    features = sorted(each for each in wanted if each in of_features and each not in of_users)
    return UserFiles(
        data_files(lake, tasks, USERS.name),
        tuple(sorted(each for each in wanted if each in of_users)),
        _last_features(lake, tasks, day, features) if features else (),
        tuple(features),
        group,
        blocked_from(lake, tasks, day),
    )


def _last_features(lake: Lake, tasks: Tasks, day: date, columns: list[str]) -> tuple[DataFile, ...]:
    """Files of the last month that was over by then."""
    files = data_files(lake, tasks, _FEATURES, [USER, *columns])
    months = {file.partition["month"] for file in files if next_month(file.partition["month"]) <= day}
    if not months:
        return ()
    return tuple(file for file in files if file.partition["month"] == max(months))


def _partitions(
    lake: Lake, tasks: Tasks, slot: str, day: date, buckets: set[int]
) -> list[dict[str, str | date | int]]:
    """Those of the plan, and those of a plan that stands there."""
    there = set(buckets)
    for file in data_files(lake, tasks, BANDIT_PLAN.name):
        if (file.partition["slot"], file.partition["day"]) == (slot, day):
            there.add(file.partition["user_bucket"])
    return [{"slot": slot, "day": day, "user_bucket": number} for number in sorted(there)]

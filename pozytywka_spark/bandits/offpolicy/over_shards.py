"""Evaluation of a log of any size: two jobs over buckets of users, of which only sums come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pozytywka_spark.bandits.offpolicy.reward_model import fit
from pozytywka_spark.bandits.offpolicy.shard_work import CELLS, Bucket, Reader, SumCells, SumUsers
from pozytywka_spark.bandits.offpolicy.sums import Sums
from pozytywka_spark.bandits.policy import Policy
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import Tasks

SAMPLE = 1_000_000  # decisions that the reward model is fitted on, about: whole days, spread over the log


def buckets_of(files: Sequence[DataFile], first: date, last: date) -> list[Bucket]:
    """Files of `slot_decisions` by bucket of users; wanted are the days [first, last]."""
    found: dict[int, list[DataFile]] = {}
    for file in files:
        found.setdefault(int(file.partition["user_bucket"]), []).append(file)
    buckets = []
    for number, mine in sorted(found.items()):
        mine.sort(key=lambda file: (file.partition["day"], file.path))
        days = sorted({file.partition["day"] for file in mine if first <= file.partition["day"] <= last})
        buckets.append(Bucket(number, tuple(mine), tuple(days)))
    return buckets


def sums_over(
    tasks: Tasks, buckets: Sequence[Bucket], reader: Reader, policies: Sequence[Policy], sample: int = SAMPLE
) -> Sums:
    """Sums of all policies over the buckets' days. Raises `DataError` if no decision is mature.

    Where the log says that all arms were eligible, they are those that were chosen or that a policy knows.
    """
    done = tasks.run(_sampled(buckets, sample), SumCells(reader), weight=_size, named=_named)
    if not done.of(CELLS):
        raise DataError(
            "slot_decisions: none of these days is mature; expected rewards: wait, or ask for others"
        )
    fitted = fit(tasks.fetch(done.of(CELLS)))
    by_group, by_days = fitted.frames()
    model = tasks.put("by_group", by_group), tasks.put("by_days", by_days)
    arms = sorted({*fitted.names.arms, *(arm for policy in policies for arm in policy.arms)})
    work = SumUsers(reader, tuple(policies), model, tuple(arms))
    done = tasks.run(buckets, work, weight=_size, named=_named)
    sums = Sums.nothing(len(policies))
    for told in sorted(done.results, key=lambda told: int(told["bucket"])):
        sums.add(Sums.told(told["sums"]))
    return sums


def _sampled(buckets: Sequence[Bucket], sample: int) -> list[Bucket]:
    """With so few of the days that about `sample` decisions are read; each bucket begins with another day."""
    step = max(1, round(sum(bucket.rows for bucket in buckets) / sample))
    some = [replace(bucket, days=bucket.days[place % step :: step]) for place, bucket in enumerate(buckets)]
    return [bucket for bucket in some if bucket.days]


def _size(bucket: Bucket) -> int:
    return bucket.size


def _named(bucket: Bucket) -> str:
    return f"slot_decisions, bucket {bucket.number} of users"

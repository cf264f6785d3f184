"""Whose groups are decided at a cut-off: the members of a population, premium or not, found by tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pozytywka_spark.errors import DataError
from pozytywka_spark.experiments.assignment.enrol_work import USERS, Premium
from pozytywka_spark.experiments.purchases import find_purchases
from pozytywka_spark.experiments.slices import Slice, files_of
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.months import previous_month

if TYPE_CHECKING:
    from pozytywka_spark.lake.api import Lake

# Kind of parcels: user_id, one row a user and file
MEMBERS = "members"
_USER_BYTES = 8  # of an id, which is what is read of a row


@dataclass(frozen=True)
class FindMembers:
    """Work on files of a table with a row or more a user: stages MEMBERS, with the place of the file's month
    (of events) as key. `selected`: only users whom the policy selected.
    """

    selected: bool = False

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for file in items:
            rows = files.read([file], ["user_id", "selected"] if self.selected else ["user_id"])
            users = (rows.filter("selected") if self.selected else rows).select("user_id").unique()
            month = file.partition.get("event_month")
            files.stage(MEMBERS, users, () if month is None else (month.isoformat(),))
        yield from ()


@dataclass(frozen=True)
class CountFree:
    """Work on slices of users: tells how many of `members` are `free`, of premium."""

    members: tuple[Parcel, ...]
    premium: Premium

    def __call__(self, items: Sequence[Slice], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a slice."""
        for item in items:
            users = item.read(self.members, USERS, files).unique()
            yield {"free": users.join(self.premium.of(item, files), on="user_id", how="anti").height}


def find_members(lake: Lake, tasks: Tasks, population: str, at: date) -> tuple[Parcel, ...]:
    """The users of a population, premium or not, for tasks; some may lie in several parcels.

    `active` takes users with an event in the month before the cut-off, `all` every user, `scored` those
    scored for that month by the latest model version, `selected` those its policy selected.
    Raises `DataError` if a table is missing or nobody is of the population.
    """
    before = previous_month(at)
    members = members_in(tasks, _files(lake, tasks, population, before), selected=population == "selected")
    if not members:
        raise DataError(
            f"no user to assign at {at}: population '{population}' is empty in {before:%Y-%m}; "
            "choose another --at or --population"
        )
    return members


def members_in(tasks: Tasks, files: Sequence[DataFile], *, selected: bool = False) -> tuple[Parcel, ...]:
    """The users of files, for tasks."""
    done = tasks.run(
        files,
        FindMembers(selected),
        weight=lambda file: file.rows * _USER_BYTES,
        named=lambda file: f"users in {file.place}",
    )
    return tuple(done.of(MEMBERS))


def premium_at(lake: Lake, tasks: Tasks, at: date) -> Premium:
    """Who has premium at the cut-off. Raises `DataError` if there are no events or users."""
    check_table(lake, "events", "ingest")
    check_table(lake, "users", "ingest")
    users = files_of(lake, tasks, "users", ["user_id", "premium_user"])
    return Premium(find_purchases(lake, tasks), users, at)


def check_table(lake: Lake, name: str, job: str) -> None:
    """Raise `DataError` unless the table is there."""
    if not lake.exists(name):
        raise DataError(f"table {name} is not in {lake.root}: run the {job} job first")


def _files(lake: Lake, tasks: Tasks, population: str, before: date) -> tuple[DataFile, ...]:
    if population == "active":
        check_table(lake, "events", "ingest")
        return files_of(lake, tasks, "events", ["user_id"], [{"event_month": before}])
    if population == "all":
        check_table(lake, "users", "ingest")
        return files_of(lake, tasks, "users", ["user_id"])
    check_table(lake, "predictions", "score")
    scored = files_of(lake, tasks, "predictions", ["user_id", "selected"], [{"month": before}])
    latest = max((file.partition["model_version"] for file in scored), default=None)
    return tuple(file for file in scored if file.partition["model_version"] == latest)

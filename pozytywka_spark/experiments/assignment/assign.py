"""Assignment for life: new users get the group of their bucket, nobody's group changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import LakeError, UsageError
from pozytywka_spark.experiments.assignment import definitions
from pozytywka_spark.experiments.assignment.allocation import grow, start
from pozytywka_spark.experiments.assignment.cut_offs import next_cut_off
from pozytywka_spark.experiments.assignment.definition import HASH, Definition
from pozytywka_spark.experiments.assignment.enrol_work import FATES, NEW, EnrolUsers, MoveControl
from pozytywka_spark.experiments.assignment.groups import ASSIGNED, CountGroups, CountUsers, sizes_told
from pozytywka_spark.experiments.assignment.population import find_members, premium_at
from pozytywka_spark.experiments.slices import all_slices, bytes_of, files_of
from pozytywka_spark.lake.api import Lake, Txn
from pozytywka_spark.lake.shards import DataFile, Written
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.moderation.blocked import blocked_from
from pozytywka_spark.reports.notebook import card
from pozytywka_spark.schemas import ASSIGNMENTS


@dataclass(frozen=True)
class AssignReport:
    """What an assignment did: users by fate and by group; `added` rows are new."""

    experiment: str
    revision: int
    at: date
    fates: Mapping[str, int]
    groups: list[dict[str, object]]
    added: int
    moved: int

    def _repr_html_(self) -> str:
        title = f"experiment {self.experiment}, revision {self.revision}, cut-off {self.at}"
        fates = [{"fate": fate, "users": count} for fate, count in self.fates.items()]
        return card(title, {"users": fates, "groups": self.groups})


def assign(
    settings: Settings,
    lake: Lake,
    name: str,
    shares: Mapping[str, float] | None = None,
    at: date | None = None,
    *,
    layer: str = "",
    traffic: float = 100,
) -> AssignReport:
    """Start experiment `name` with `shares` (percent a treatment), or enrol newcomers into a running one.

    Whoever has a group keeps it; a second run at the same cut-off adds nothing; one that was killed is
    finished by the next. Raises `UsageError` if `shares` differ from the running ones, the layer is full or
    the name is unknown and no shares are given; `DataError` if nobody is eligible.
    """
    experiments = definitions.read_experiments(lake)
    cut_off = at or next_cut_off(lake, settings.data)
    if name not in experiments:
        if not shares:
            definitions.find(lake, name)  # says which there are and how to start one
        definition = definitions.define(
            settings, experiments, name, start(shares or {}), cut_off, layer=layer, traffic=traffic
        )
        # before anything is recorded: an experiment nobody can enter isn't one
        with lake.tasks() as tasks:
            find_members(lake, tasks, str(definition.settings["population"]), cut_off)
        definitions.append(lake, definition, experiments)
        return enrol(lake, definition, cut_off)
    latest = definitions.running(lake, name).latest
    check_unchanged(latest, shares, layer, cut_off)
    return enrol(lake, latest, cut_off)


def check_unchanged(latest: Definition, shares: Mapping[str, float] | None, layer: str, at: date) -> None:
    """Raise `UsageError` if the command asks for something else than the experiment that runs."""
    if latest.source != HASH:
        raise UsageError(f"experiment {latest.name} has imported groups: add users with experiment import")
    if shares and start(shares).sizes != latest.allocation.sizes:
        runs = ", ".join(f"{group} {share * 100:g}" for group, share in latest.allocation.shares.items())
        raise UsageError(
            f"experiment {latest.name} runs with shares {runs}: change them with experiment grow, "
            "or leave --share out to enrol newcomers"
        )
    if layer and layer != latest.layer:
        raise UsageError(f"experiment {latest.name} is in layer {latest.layer or 'none'} for life")
    if at < latest.at:
        raise UsageError(f"--at {at}: experiment {latest.name} holds from {latest.at} on")


def grow_share(
    lake: Lake,
    name: str,
    shares: Mapping[str, float],
    at: date | None = None,
    *,
    move_control: bool = False,
) -> AssignReport:
    """Raise treatments' shares from a cut-off on: for newcomers only, or with `move_control` for control too.

    With it, control users whose buckets the treatment gains move there by a second row; nobody else ever
    moves. Raises `UsageError` if a share shrinks or the cut-off lies before the latest change.
    """
    experiments = definitions.read_experiments(lake)
    latest = definitions.running(lake, name).latest
    if latest.source != HASH:
        raise UsageError(f"experiment {name} has imported groups: its shares are decided elsewhere")
    cut_off = at or next_cut_off(lake)
    allocation = grow(latest.allocation, shares)
    if allocation != latest.allocation:
        with lake.tasks() as tasks:
            write_moves(lake, tasks, latest)  # whatever an earlier growth left unfinished
        latest = definitions.revise(latest, cut_off, allocation=allocation, moves=move_control)
        definitions.append(lake, latest, experiments)
    elif move_control and not latest.moves:
        raise UsageError(
            f"experiment {name} has these shares already, without moving control; "
            "move control only together with a growth"
        )
    with lake.tasks() as tasks:
        moved = write_moves(lake, tasks, latest)
        return report(lake, tasks, latest, latest.at, {}, added=0, moved=moved)


def end(lake: Lake, name: str, at: date | None = None) -> Definition:
    """End an experiment: purchases before `at` count, nobody enters any more, its layer slot is free."""
    experiments = definitions.read_experiments(lake)
    experiment = definitions.find(lake, name)
    if experiment.ended:
        return experiment.latest
    ended = definitions.revise(experiment.latest, at or next_cut_off(lake), end=True)
    definitions.append(lake, ended, experiments)
    return ended


def enrol(lake: Lake, definition: Definition, at: date) -> AssignReport:
    """Give every eligible user of the cut-off who has no group the one of their bucket."""
    with lake.tasks() as tasks:
        moved = write_moves(lake, tasks, definition)
        number = next_write(lake, definition.name)
        members = find_members(lake, tasks, str(definition.settings["population"]), at)
        premium, assigned = premium_at(lake, tasks, at), assigned_files(lake, tasks, definition.name)
        done = tasks.run(
            all_slices([*members, *assigned]),
            EnrolUsers(definition, members, premium, assigned, blocked_from(lake, tasks, at)),
            weight=lambda _: bytes_of([*members, *premium.bought, *premium.users, *assigned]),
            named=lambda item: f"users of {definition.name}, slice {item.number + 1} of {item.slices}",
        )
        counts = fates_told(done.results)
        if counts.get(NEW):
            append_rows(lake, done.written, definition.name, number)
        return report(lake, tasks, definition, at, counts, added=counts.get(NEW, 0), moved=moved)


def fates_told(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Users by fate, of all slices; no fate of nobody."""
    counts: Counter[str] = Counter()
    for line in results:
        counts.update(line["fates"])
    return {fate: counts[fate] for fate in FATES if counts[fate]}


def assigned_files(lake: Lake, tasks: Tasks, name: str) -> tuple[DataFile, ...]:
    """The files of an experiment's assignments, none if there are none yet."""
    if not lake.exists(ASSIGNMENTS.name):
        return ()
    return files_of(lake, tasks, ASSIGNMENTS.name, ASSIGNED.names(), [{"experiment": name}])


def next_write(lake: Lake, name: str) -> int:
    """The number of the next write of an experiment's users: to be asked for before those there are read."""
    return (lake.txn_version(ASSIGNMENTS.name, _app(name)) or 0) + 1


def append_rows(lake: Lake, written: Sequence[Written], name: str, number: int) -> None:
    """Append assignments; of two processes that add users at once, the later one gets a `LakeError`."""
    if lake.append(written, ASSIGNMENTS, txn=Txn(_app(name), number)) is None:
        raise LakeError(f"users of experiment {name} were assigned by someone else meanwhile: run it again")


def _app(name: str) -> str:
    return f"experiment {name}"


def write_moves(lake: Lake, tasks: Tasks, definition: Definition) -> int:
    """Carry out the moves that the definition orders and that aren't done yet; their number."""
    if not definition.moves:
        return 0
    number = next_write(lake, definition.name)
    premium = premium_at(lake, tasks, definition.at)
    assigned = assigned_files(lake, tasks, definition.name)
    done = tasks.run(
        all_slices(assigned),
        MoveControl(definition, premium, assigned),
        weight=lambda _: bytes_of([*premium.bought, *premium.users, *assigned]),
        named=lambda item: f"moves of {definition.name}, slice {item.number + 1} of {item.slices}",
    )
    count = sum(int(line["moved"]) for line in done.results)
    if count:
        append_rows(lake, done.written, definition.name, number)
    return count


def count_users(lake: Lake) -> dict[str, int]:
    """Users of each experiment that has any."""
    if not lake.exists(ASSIGNMENTS.name):
        return {}
    with lake.tasks() as tasks:
        files = files_of(lake, tasks, ASSIGNMENTS.name, ["experiment", "user_id"])
        done = tasks.run(
            all_slices(files),
            CountUsers(files),
            weight=lambda _: bytes_of(files),
            named=lambda item: f"users of experiments, slice {item.number + 1} of {item.slices}",
        )
    return sizes_told(done.results)


def report(
    lake: Lake,
    tasks: Tasks,
    definition: Definition,
    at: date,
    fates: Mapping[str, int],
    *,
    added: int,
    moved: int,
) -> AssignReport:
    """Users by group as they are in the lake now."""
    assigned = assigned_files(lake, tasks, definition.name)
    done = tasks.run(
        all_slices(assigned),
        CountGroups(assigned),
        weight=lambda _: bytes_of(assigned),
        named=lambda item: f"groups of {definition.name}, slice {item.number + 1} of {item.slices}",
    )
    sizes = sizes_told(done.results)
    total = max(1, sum(sizes.values()))
    shares = definition.allocation.shares
    groups: list[dict[str, object]] = [
        {"group": group, "users": sizes.get(group, 0), "share %": 100 * sizes.get(group, 0) / total,
         "meant %": 100 * share}
        for group, share in shares.items()
    ]  # fmt: skip
    return AssignReport(definition.name, definition.revision, at, fates, groups, added, moved)

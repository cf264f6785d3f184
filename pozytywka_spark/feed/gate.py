"""The gate: a challenger becomes the champion unless it is worse beyond noise on the same users.

Novel nDCG@10 of the order of the value, of users that the challenger wasn't fitted on; the interval of the
difference is by paired bootstrap over them. A model that was trained later knows later tastes, so that it
takes over where the two can't be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import GuardError, TrackingError
from pozytywka_spark.feed.gate_work import MEASURED_USERS, BootstrapUsers, CompareModels
from pozytywka_spark.feed.inputs import check_day, lists_named
from pozytywka_spark.feed.model import NAME, connected, load
from pozytywka_spark.feed.prepare import Prepared, Sliced, listeners_until, prepare, slice_events
from pozytywka_spark.feed.prepare_work import LISTENERS
from pozytywka_spark.feed.stage import look_of, other_model
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Tasks
from pozytywka_spark.tracking import registry
from pozytywka_spark.tracking.registry import Version
from pozytywka_spark.tracking.store import Tracking

AT = "pozytywka.feed_at"  # of a version: the day it was trained as of
KEPT = "pozytywka.feed.kept"  # of a challenger: the champion that it didn't replace


@dataclass(frozen=True)
class Decision:
    """The champion's version now, and why."""

    champion: int
    challenger: int
    promoted: bool
    reason: str


def decide(
    tracking: Tracking,
    challenger: Version,
    measure: Callable[[Version], Mapping[str, Any]],
) -> Decision:
    """Make the version the challenger, and the champion if it may be. A decision that was taken stands.

    `measure`: what `BootstrapUsers` tells of a champion and this challenger.
    """
    before = registry.aliased(tracking, registry.CHALLENGER)
    if before is None or before.number < challenger.number:
        registry.set_alias(tracking, registry.CHALLENGER, challenger.number)
    champion = registry.aliased(tracking, registry.CHAMPION)
    number = challenger.number
    if champion is None:
        registry.take_over(tracking, number, None)
        return Decision(number, number, promoted=True, reason="there was no champion")
    if champion.number == number:
        return Decision(number, number, promoted=False, reason=f"version {number} is the champion already")
    if challenger.tags.get(KEPT) == str(champion.number) or champion.number > number:
        reason = f"it was weighed before: version {champion.number} stays"
        return Decision(champion.number, number, promoted=False, reason=reason)
    try:
        told = measure(champion)
    except GuardError as error:  # a release changed the features: nobody can rank by the old champion
        return _promote(tracking, champion, challenger, f"version {champion.number} can't be used: {error}")
    return weighed(tracking, champion, challenger, told)


def weighed(tracking: Tracking, champion: Version, challenger: Version, told: Mapping[str, Any]) -> Decision:
    """Carry out what the measures say."""
    number = challenger.number
    if not told["users"]:
        registry.set_tag(tracking, number, KEPT, str(champion.number))
        return Decision(champion.number, number, promoted=False, reason="no user to weigh them on")
    worse = told["high"] < 0
    reason = (
        f"novel nDCG@10 of {told['users']:,} users: {told['challenger']:.4f}, version {champion.number} "
        f"{told['champion']:.4f}; difference {told['low']:+.4f} to {told['high']:+.4f}: "
        f"{'worse' if worse else 'not worse'} beyond noise"
    )
    if worse:
        registry.set_tag(tracking, number, KEPT, str(champion.number))
        return Decision(champion.number, number, promoted=False, reason=reason)
    return _promote(tracking, champion, challenger, reason)


def _promote(tracking: Tracking, champion: Version, challenger: Version, reason: str) -> Decision:
    number = challenger.number
    registry.take_over(tracking, number, champion.number)
    return Decision(number, number, promoted=True, reason=reason)


def run_gate(settings: Settings, lake: Lake, day: date | None) -> Decision:
    """Weigh the challenger against the champion again: on the days after `day`, or those it was trained for.

    Raises `TrackingError` if nothing is registered, `UsageError` if the days after it aren't over.
    """
    tracking = connected(settings)
    challenger = registry.aliased(tracking, registry.CHALLENGER)
    champion = registry.aliased(tracking, registry.CHAMPION)
    if challenger is None or champion is None:
        raise TrackingError(
            f"no model {NAME}@challenger is registered at {tracking.uri}: run feed train first"
        )
    if challenger.number == champion.number:
        reason = f"version {champion.number} is the champion already"
        return Decision(champion.number, champion.number, promoted=False, reason=reason)
    days = settings.feed.horizon_days
    trained = date.fromisoformat(challenger.tags[AT])
    cut_off = day or trained - timedelta(days=days)
    check_day(settings, lake, cut_off, days_after=days)
    with lake.tasks() as tasks:
        sliced = slice_events(lake, tasks, cut_off + timedelta(days=days))
        prepared = prepare(settings, tasks, sliced, cut_off)
        after = listeners_until(tasks, sliced, cut_off + timedelta(days=days)).of(LISTENERS)
        versions = (champion, challenger)
        told = judged(
            settings, lake, tasks, sliced, prepared, after, versions, only_held_out=cut_off < trained
        )
    return weighed(tracking, champion, challenger, told)


def roll_back(settings: Settings) -> tuple[int, int]:
    """Give the champion's place back to the version it took over from; (from, to). Raises `TrackingError`."""
    tracking = connected(settings)
    champion = registry.aliased(tracking, registry.CHAMPION)
    if champion is None:
        raise TrackingError(f"no model {NAME}@champion at {tracking.uri}: nothing to roll back")
    previous = champion.tags.get(registry.PREVIOUS)
    if not previous:
        raise TrackingError(
            f"version {champion.number} of {NAME} was the first champion: none to roll back to"
        )
    # so that training on the same inputs doesn't put it back
    registry.set_tag(tracking, champion.number, KEPT, previous)
    registry.set_alias(tracking, registry.CHAMPION, int(previous))
    return champion.number, int(previous)


def judged(
    settings: Settings,
    lake: Lake,
    tasks: Tasks,
    sliced: Sliced,
    prepared: Prepared,
    after: Sequence[Parcel],
    versions: tuple[Version, Version],
    *,
    only_held_out: bool,
) -> Mapping[str, Any]:
    """What `BootstrapUsers` tells of champion and challenger, as of the cut-off of `prepared`."""
    tracking, lists = connected(settings), lists_named(settings)
    champion, challenger = (load(tracking, version) for version in versions)
    look = look_of(settings, lake, tasks, prepared.cut_off, sliced, prepared, champion, lists)
    looks = (look, other_model(settings, tasks, look, challenger, sliced.users))
    work = CompareModels(
        looks, {int(parcel.key[0]): parcel for parcel in after}, settings.feed.horizon_days, only_held_out
    )
    measured = tasks.run(
        prepared.listeners,
        work,
        weight=lambda parcel: 64 * parcel.size,
        named=lambda parcel: f"slice {parcel.key[0]} of users",
    )
    done = tasks.run(
        [0],
        BootstrapUsers(tuple(measured.of(MEASURED_USERS))),
        weight=lambda _: 1,
        named=lambda _: "all users",
    )
    return done.results[0]

"""Policies in the registry, a model a slot with the aliases champion and challenger; or in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pozytywka_spark.bandits.policy import UNIFORM, Policy, parse_policy, policy_text, read_document
from pozytywka_spark.bandits.slots import slot_of
from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError, TrackingError
from pozytywka_spark.reports.files import write_whole
from pozytywka_spark.tracking import plain_models, registry
from pozytywka_spark.tracking.store import Tracking, connect

FILE = "policy.json"
ALIASES = (registry.CHAMPION, registry.CHALLENGER)


@dataclass(frozen=True)
class NamedPolicy:
    """A policy, how results name it, its document, and its version in the registry if it is of there."""

    name: str
    policy: Policy
    document: Mapping[str, Any]
    version: registry.Version | None = None


def model_name(slot: str) -> str:
    """What the registry calls a slot's policies."""
    return f"pozytywka-bandit-{slot}"


def tracking_of(settings: Settings, slot: str) -> Tracking:
    """The registry, for a slot's policies."""
    return plain_models.named(connect(settings), model_name(slot))


def find_policy(settings: Settings, slot: str, asked: str) -> NamedPolicy:
    """A policy by what a person calls it: champion, challenger, a version's number, uniform, or a file.

    Raises `TrackingError` if there is no such version, `DataError` for a file that is no policy of this slot.
    """
    if asked == UNIFORM:
        document = {"kind": UNIFORM}
        return NamedPolicy(UNIFORM, parse_policy(document), document)
    if asked in ALIASES:
        tracking = tracking_of(settings, slot)
        found = registry.aliased(tracking, asked)
        if found is None:
            raise TrackingError(
                f"slot {slot} has no {asked}: no {tracking.model_name}@{asked} at {tracking.uri}; "
                + ("run bandits gate first" if asked == registry.CHAMPION else "run bandits learn first")
            )
        return load_version(tracking, found)
    if asked.isascii() and asked.isdigit():
        tracking = tracking_of(settings, slot)
        return load_version(tracking, registry.numbered(tracking, int(asked)))
    document = read_document(asked)
    policy = parse_policy(document, asked)
    _check(policy, settings, slot, asked)
    return NamedPolicy(policy.version or Path(asked).stem, policy, document)


def load_version(tracking: Tracking, version: registry.Version) -> NamedPolicy:
    """A registered policy; its document says which version it is."""
    content = plain_models.load_files(tracking, version.number).get(FILE)
    if content is None:
        raise TrackingError(f"{tracking.model_name} version {version.number} holds no {FILE}: learn anew")
    document = {**json.loads(content), "version": str(version.number)}
    return NamedPolicy(str(version.number), parse_policy(document), document, version)


def aliased_policy(settings: Settings, slot: str, alias: str) -> NamedPolicy | None:
    """The policy that bears the alias, None if none does."""
    tracking = tracking_of(settings, slot)
    found = registry.aliased(tracking, alias)
    return None if found is None else load_version(tracking, found)


def export_policy(settings: Settings, slot: str, asked: str, out: str) -> NamedPolicy:
    """Write a policy's document to a file, whole or not at all. Raises as `find_policy`, `DataError`."""
    found = find_policy(settings, slot, asked)
    document = {"slot": slot, **found.document}
    try:
        write_whole(Path(out), policy_text(document))
    except OSError as error:
        raise DataError(f"--out {out}: can't be written: {error.strerror}") from None
    return found


def _check(policy: Policy, settings: Settings, slot: str, source: str) -> None:
    """Raise `DataError` if the policy is another slot's, or has arms that the slot doesn't declare."""
    if policy.slot and policy.slot != slot:
        raise DataError(f"{source}: a policy of slot {policy.slot}; expected one of slot {slot}")
    declared = slot_of(settings, slot).arms
    unknown = [arm for arm in policy.arms if declared and arm not in declared]
    if unknown:
        raise DataError(
            f"{source}: the policy has an arm {unknown[0]} that slot {slot} doesn't have; "
            f"expected some of {', '.join(declared[:20])}"
        )

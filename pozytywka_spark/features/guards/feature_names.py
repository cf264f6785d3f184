"""Guards of what features are called, their order and their hash: at building, training and scoring."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.guards.result import GuardResult

# Names a target, or what gives it away, goes by: the label columns, the flag, the purchase itself.
_TARGET_NAMES = re.compile(r"buys?_|bought|purchase|premium|label|target|horizon|cut_?off", re.IGNORECASE)


def check_names(features: Sequence[str]) -> GuardResult:
    """Guard `names`: no feature is, or is named like, a target or what gives it away. Raises `GuardError`."""
    start = time.monotonic()
    for name in features:
        if _TARGET_NAMES.search(name):
            raise GuardError(
                f"guard names: feature {name} is a target or named like one; remove it from the catalogue"
            )
    twice = sorted({name for name in features if features.count(name) > 1})
    if twice:
        raise GuardError(f"guard names: feature {twice[0]} is declared twice; rename one")
    return GuardResult("names", f"{len(features)} feature names", time.monotonic() - start)


def check_order(expected: Sequence[str], actual: Sequence[str]) -> GuardResult:
    """Guard `order`: the features now are those of training, in the same order. Raises `GuardError`."""
    start = time.monotonic()
    if list(expected) != list(actual):
        place = next(
            (index for index, pair in enumerate(zip(expected, actual, strict=False)) if pair[0] != pair[1]),
            min(len(expected), len(actual)),
        )
        expected_name = expected[place] if place < len(expected) else "nothing"
        actual_name = actual[place] if place < len(actual) else "nothing"
        raise GuardError(
            f"guard order: feature {place + 1} is {actual_name}, "
            f"the model was trained with {expected_name} there "
            f"({len(actual)} features now, {len(expected)} then); train again or use the same catalogue"
        )
    return GuardResult("order", f"{len(expected)} features in order", time.monotonic() - start)


def check_hash(expected: str, actual: str) -> GuardResult:
    """Guard `order`, its other half: the catalogue's hash is that of training. Raises `GuardError`."""
    start = time.monotonic()
    if expected != actual:
        raise GuardError(
            f"guard order: the catalogue's hash is {actual[:12]}, the model was trained with "
            f"{expected[:12]}; a feature's arithmetic has changed, or the release that states it: "
            "run features, train and gate, or check out that version"
        )
    return GuardResult("order", f"hash {expected[:12]}", time.monotonic() - start)

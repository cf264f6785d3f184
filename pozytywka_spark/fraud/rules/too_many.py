"""A rule that flags half of all days is no suspicion."""

from __future__ import annotations

from collections.abc import Mapping

from pozytywka_spark.errors import DataError

_FEWEST = 20  # account-days below which half of them are few


def check_shares(flagged: Mapping[str, int], days: int) -> None:
    """Raise `DataError` naming the rule that flags half of `days` account-days or more, if there is one."""
    if days < _FEWEST:
        return
    for name, count in flagged.items():
        if 2 * count >= days:
            raise DataError(
                f"rule {name} flags {count:,} of {days:,} account-days, half or more: that is no suspicion; "
                "give it stricter conditions (fraud rules --try FILE tells what they would find)"
            )

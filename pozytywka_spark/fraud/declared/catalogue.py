"""All signals, in the order of the table's columns; their hash."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.fraud.declared import account, pace, reactions, variety
from pozytywka_spark.fraud.declared.declaration import Signal, declaration
from pozytywka_spark.hashing.fingerprints import LONG, fingerprint_of

SIGNALS: tuple[Signal, ...] = tuple(
    signal for topic in (pace, variety, reactions, account) for signal in topic.SIGNALS
)
NAMES: tuple[str, ...] = tuple(signal.name for signal in SIGNALS)


def signals_hash(signals: Sequence[Signal] = SIGNALS) -> str:
    """SHA-256 of what the signals are, as declared."""
    return fingerprint_of([declaration(signal) for signal in signals], LONG)

"""The signals that a task is told to make, by the name of where they are declared."""

from __future__ import annotations

import importlib

from pozytywka_spark.fraud.declared.declaration import Signal

DECLARED = "pozytywka_spark.fraud.declared.catalogue:SIGNALS"


def signals_at(place: str) -> tuple[Signal, ...]:
    """The signals of a `module:NAME`: tasks get a name, since expressions don't travel between processes."""
    module, _, name = place.partition(":")
    found: tuple[Signal, ...] = getattr(importlib.import_module(module), name)
    return found

"""Recorded values of every measure and feature on a fixed input, beside the declaration they belong to.

`python -m tests.features.recorded` records them anew: after an entry's statement or revision was changed, or
one was added. Where only values have changed, the revision comes first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.declared.declaration import Feature, declaration, measures_of
from pozytywka_spark.features.declared.values import Measure
from tests.features import in_kernels
from tests.worlds import fixed_world

FILE = Path(__file__).with_name("recorded_values.json")
ANEW = "record its values anew: python -m tests.features.recorded"
Record = Mapping[str, Mapping[str, str]]


def entries() -> dict[str, Feature | Measure]:
    """Every entry of the catalogue by the name it is recorded under."""
    return {
        **{f"measure {measure.name}": measure for measure in measures_of(CATALOGUE)},
        **{f"feature {feature.name}": feature for feature in CATALOGUE},
    }


def declared(entry: Feature | Measure) -> str:
    """A digest of all that an entry declares; a feature's measures and their revisions included."""
    return _digest(declaration(entry))


def digest_of(values: Iterable[float | None]) -> str:
    """A digest of values in the order of rows, to 12 digits: engines may differ in a double's last bit."""
    return _digest([None if value is None else f"{value:.12g}" for value in values])


def record_of(values: Mapping[str, Iterable[float | None]]) -> Record:
    """What is recorded of values by entry."""
    known = entries()
    return {name: {"declared": declared(known[name]), "values": digest_of(values[name])} for name in known}


def complaints(then: Record, now: Record) -> list[str]:
    """What is wrong with today's values beside the recorded ones, a line each."""
    found = [f"{name} is not in the catalogue any more: {ANEW}" for name in then if name not in now]
    for name, today in now.items():
        if name not in then:
            found.append(f"{name} is new: {ANEW}")
        elif today["declared"] != then[name]["declared"]:
            found.append(f"the declaration of {name} has changed: {ANEW}")
        elif today["values"] != then[name]["values"]:
            found.append(
                f"{name} has other values though its declaration is the same: raise its revision, then "
                "record its values anew"
            )
    return found


def values_on_fixed_input() -> dict[str, list[float | None]]:
    """By entry: the values of the fixed world's rows, in order of users and months."""
    silver = fixed_world.catalogue() | {"events": fixed_world.events()}
    made = in_kernels.build(silver, CATALOGUE)
    measures, features = (rows.sort("user_id", "month") for rows in (made.user_month, made.features))
    return {
        **{
            f"measure {each.name}": measures[each.name].cast(pl.Float64).to_list()
            for each in measures_of(CATALOGUE)
        },
        **{f"feature {each.name}": features[each.name].to_list() for each in CATALOGUE},
    }


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def main() -> None:
    """Record today's values."""
    FILE.write_text(json.dumps(record_of(values_on_fixed_input()), indent=1) + "\n")


if __name__ == "__main__":
    main()

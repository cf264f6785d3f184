"""Recorded values of every measure and feature on a fixed input, beside the declaration they belong to.

`python -m tests.features.recorded` records them anew: after an entry's statement or revision was changed, or
one was added. Where only values have changed, the revision comes first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pozytywka_spark.features.catalogue import CATALOGUE
from pozytywka_spark.features.entry import Feature, Measure, declaration, measures_of

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


def values_on_fixed_input(spark: Any) -> dict[str, list[float | None]]:
    """By entry: the values of the fixed world's rows, in order of users and months."""
    from pozytywka_spark import schemas
    from pozytywka_spark.features.recipe import dimensions_of, features_from_events
    from tests.features import fixed_world

    rows = fixed_world.catalogue() | {"events": fixed_world.events()}
    silver = {
        table.name: spark.createDataFrame(
            [tuple(row[name] for name in table.columns) for row in rows[table.name]], table.schema
        )
        for table in schemas.SILVER
    }
    months = sorted({row["event_month"] for row in rows["events"]})
    columns = (*CATALOGUE, *(_as_feature(measure) for measure in measures_of(CATALOGUE)))
    built = features_from_events(silver["events"], silver["events"], dimensions_of(silver), columns, months)
    found = sorted((row.asDict() for row in built.collect()), key=lambda row: (row["user_id"], row["month"]))
    return {
        **{
            f"measure {each.name}": [row[f"_{each.name}"] for row in found] for each in measures_of(CATALOGUE)
        },
        **{f"feature {each.name}": [row[each.name] for row in found] for each in CATALOGUE},
    }


def _as_feature(measure: Measure) -> Feature:
    return Feature(
        f"_{measure.name}", measure.name, "1", "count", "null", "events", (measure,),
        lambda: measure.column().cast("double"),
    )  # fmt: skip


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def main() -> None:
    """Record today's values."""
    from pozytywka_spark.config import load_settings
    from pozytywka_spark.session import build_session

    settings = load_settings("local", ["spark.master=local[2]", "spark.shuffle_partitions=2"])
    recorded = record_of(values_on_fixed_input(build_session(settings, "recorded")))
    FILE.write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main()

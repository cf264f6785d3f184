"""What each case of a big group is for: a fold of training, a test, or neither; and what words there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.factory.fit import folds_of
from pozytywka_spark.factory.group import (
    ONE_CLASS,
    How,
    cases_of,
    has_both_classes,
    training_and_tested,
    trouble_of,
)
from pozytywka_spark.factory.split import witnesses
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

ROLES = "roles"  # kind of parcels, keyed by part: `fold` (NO_FOLD: no training), `tested`, `witness`
WORDS = "words"  # kind of parcels: `feature` and a `word` that training cases have
NO_FOLD = -1
ALL = -1  # in the place of a fold: the model of all training cases
_FACTS = ["accounts", "cut_off", "verdict", "looked", "testable", "order"]


@dataclass(frozen=True)
class GiveRoles:
    """Work on a whole group's FACTS, in their order: stages ROLES by part, tells why it can't be built."""

    how: How

    def __call__(self, items: Sequence[tuple[Parcel, ...]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a group."""
        for parcels in items:
            facts = files.read(parcels, _FACTS)
            witness = witnesses(facts.get_column("accounts"))
            cases = cases_of(facts, witness, np.zeros(facts.height))
            trouble = trouble_of(cases, self.how)
            if trouble is None:
                training, tested = training_and_tested(facts, cases, self.how)
                sure = training & (cases.judged() >= 0)
                trouble = None if has_both_classes(cases, sure) else ONE_CLASS
                fold = np.full(facts.height, NO_FOLD, dtype=np.int8)
                fold[sure] = folds_of(witness[sure], self.how.seed)
                roles = pl.DataFrame({"fold": fold, "tested": tested, "witness": witness})
                begin = 0
                for parcel in parcels:
                    files.stage(ROLES, roles.slice(begin, parcel.rows), parcel.key)
                    begin += parcel.rows
            yield {"trouble": trouble}


@dataclass(frozen=True)
class Part:
    """Where a part's rows lie, all in one order."""

    facts: Parcel
    features: Parcel
    roles: Parcel

    @property
    def size(self) -> int:
        """Bytes of its rows."""
        return self.facts.size + self.features.size + self.roles.size


@dataclass(frozen=True)
class Rows:
    """Where a group's cases lie, and how they become numbers."""

    parts: tuple[Part, ...]
    features: tuple[str, ...]
    texts: tuple[str, ...]
    words: tuple[Parcel, ...]


@dataclass(frozen=True)
class FindWords:
    """Work on parts: stages WORDS of the training cases."""

    texts: tuple[str, ...]

    def __call__(self, items: Sequence[Part], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Tells nothing."""
        for part in items:
            training = files.read([part.roles], ["fold"]).get_column("fold") != NO_FOLD
            rows = files.read([part.features], self.texts).filter(training)
            for name in self.texts:
                words = rows.select(pl.col(name).drop_nulls().unique().alias("word"))
                files.stage(WORDS, words.select(pl.lit(name).alias("feature"), "word"))
        yield from ()


def categories_of_group(
    texts: Sequence[str], words: Sequence[Parcel], files: TaskFiles
) -> Mapping[str, list[str]]:
    """As `fit.categories_of` has them."""
    if not words:
        return {name: [] for name in texts}
    there = files.shared(words)
    return {
        name: sorted(there.filter(pl.col("feature") == name).get_column("word").unique().to_list())
        for name in texts
    }

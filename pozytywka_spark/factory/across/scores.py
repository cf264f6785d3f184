"""A big group's cases scored part by part, and proven by one task that holds their scores and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pozytywka_spark.factory.across.roles import ALL, NO_FOLD, Part, Rows, categories_of_group
from pozytywka_spark.factory.build_work import Kept, told_of, write_boosters
from pozytywka_spark.factory.fit import as_matrix, scored, within_reach
from pozytywka_spark.factory.group import cases_of, fewest_of, proven
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

SCORES = "scores"  # kind of parcels, keyed by part, in its order


def models_frame(models: dict[int, bytes]) -> pl.DataFrame:
    """Models as tasks read them: `fold`, `model`."""
    return pl.DataFrame({"fold": list(models), "model": [each.decode() for each in models.values()]})


@dataclass(frozen=True)
class ScoreParts:
    """Work on parts: stages SCORES; of a training case by the trees that didn't see its fold."""

    rows: Rows
    models: Parcel

    def __call__(self, items: Sequence[Part], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Tells nothing."""
        categories = categories_of_group(self.rows.texts, self.rows.words, files)
        models = dict(files.shared([self.models]).rows())
        for part in items:
            fold = files.read([part.roles], ["fold"]).get_column("fold").to_numpy()
            matrix = as_matrix(files.read([part.features]), self.rows.features, categories)
            score = np.empty(len(fold))
            for number in np.unique(fold):
                mine = fold == number
                model = models[ALL if number == NO_FOLD else int(number)]
                score[mine] = scored(model.encode(), matrix[mine])
            files.stage(SCORES, pl.DataFrame({"score": score}), part.facts.key)
        yield from ()


@dataclass(frozen=True)
class ProveGroup:
    """Work on (a group's name, its parts, their SCORES): writes its booster, tells as `BuildGroups`."""

    kept: Kept
    rows: Rows
    models: Parcel

    def __call__(
        self, items: Sequence[tuple[str, tuple[Part, ...], tuple[Parcel, ...]]], files: TaskFiles
    ) -> Iterator[dict[str, Any]]:
        """A line a group."""
        for name, parts, scores in items:
            facts = files.read([part.facts for part in parts]).drop("accounts")
            roles = files.read([part.roles for part in parts])
            witness = roles.get_column("witness").to_numpy()
            training = (roles.get_column("fold") != NO_FOLD).to_numpy()
            tested = roles.get_column("tested").to_numpy()
            score = files.read(scores).get_column("score").to_numpy().copy()
            score[training] = within_reach(score[training], score[tested], fewest_of(self.kept.how))
            cases = cases_of(facts, witness, score)
            model = dict(files.shared([self.models]).rows())[ALL].encode()
            categories = dict(categories_of_group(self.rows.texts, self.rows.words, files))
            built = proven(
                facts, cases, training, tested, self.kept.how, model,
                self.rows.features, categories,
            )  # fmt: skip
            write_boosters([(name, built)], self.kept, files)
            yield told_of(name, built)

"""One key's rows out of a table's files, by tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from pozytywka_spark.featurestore.rows import needed
from pozytywka_spark.featurestore.views import View

if TYPE_CHECKING:
    from pozytywka_spark.lake.shards import DataFile
    from pozytywka_spark.lake.tasks import TaskFiles

FOUND = "found"  # kind of parcels: a key's rows, with the columns that the view needs


@dataclass(frozen=True)
class FindKey:
    """Puts down the rows of one key."""

    view: View
    key: str

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[Mapping[str, Any]]:
        """File by file."""
        for file in items:
            rows = files.read([file], needed(self.view))
            files.stage(FOUND, rows.filter(pl.col(self.view.key).cast(pl.String) == self.key))
            yield {"files": 1}

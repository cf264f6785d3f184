"""A month's users scored by tasks: explained file by file, ranked together, written file by file.

Each is one job of one stage, or none where the month is small. Rows lie in the same order in the parcels of
a part, so that nothing has to be joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from pozytywka_spark.hashing.codes import in_words
from pozytywka_spark.lake.shards import DataFile, Parcel, batches
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.models.calibration import Calibrator, sigmoid
from pozytywka_spark.moderation.blocked import NOBODY, Blocked
from pozytywka_spark.names import TOP_GROUP
from pozytywka_spark.schemas import PREDICTIONS
from pozytywka_spark.scoring.reasons import REASONS, Words, reasons_of
from pozytywka_spark.scoring.selection import Rule, ranks, selected

if TYPE_CHECKING:
    from pozytywka_spark.lake.shards import Written
    from pozytywka_spark.models.booster import Matrix
    from pozytywka_spark.models.serving_model import ServingModel

# Kinds of parcels; the key is the number of the part: MARGINS user_id and margin, EXPLAINED reasons (a row
# each of them), RANKED all columns of `predictions` that differ from user to user, but for the reasons
MARGINS, EXPLAINED, RANKED = "margins", "explained", "ranked"
MARGIN = "margin"
Alike = str | int | bool | datetime | None
ROWS_AT_ONCE = 20_000  # of 115 features and as many contributions: 40 MB
_ROWS_A_PART = 100_000  # small files of features become one of predictions


@dataclass(frozen=True)
class Part:
    """Some of the files of `features` of a month."""

    number: int
    files: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class ExplainUsers:
    """Work on `Part`s: stages MARGINS and EXPLAINED, by user. `top` is the number of reasons; `groups` are
    names of groups of genres by the codes in the column TOP_GROUP, none where there is no such column."""

    model: ServingModel
    words: Words
    top: int
    groups: Mapping[int, str] = field(default_factory=dict)

    def __call__(self, items: Sequence[Part], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for part in items:
            columns = dict.fromkeys(["user_id", *self.model.features, *([TOP_GROUP] if self.groups else [])])
            rows = files.read(part.files, list(columns)).sort("user_id")
            chunks = [self._explained(chunk) for chunk in rows.iter_slices(ROWS_AT_ONCE)]
            if chunks:
                scored = pl.concat(chunks)
                files.stage(MARGINS, scored.select("user_id", MARGIN), (part.number,))
                files.stage(EXPLAINED, scored.select(REASONS), (part.number,))
        yield from ()

    def _explained(self, rows: pl.DataFrame) -> pl.DataFrame:
        matrix = matrix_of(rows, self.model.features)
        predictor = self.model.predictor
        # the reasons of none are empty lists: contributions of no feature
        parts = predictor.contributions(matrix)[:, :-1] if self.top else matrix[:, :0]
        groups = self._groups(rows) if self.groups else None
        reasons = pl.Series(REASONS, reasons_of(matrix, parts, self.words, self.top, groups))
        margins = pl.Series(MARGIN, predictor.margins(matrix))
        return rows.select("user_id", margins, reasons)

    def _groups(self, rows: pl.DataFrame) -> pa.Array:
        """The name of the group that each user plays most."""
        named = rows.select(in_words(TOP_GROUP, self.groups)).to_series()
        return named.to_arrow().cast(pa.string())


@dataclass(frozen=True)
class RankUsers:
    """Work on the tuple of all MARGINS of a month: stages RANKED of each part.

    `probability` is calibrated, `probability_raw` the model's own; ranks go by the margin, which a
    calibrator's steps can't tie. `selected` is who gets an offer by `rule`: of those who aren't `blocked`, so
    that nobody's place goes to an account that is shut out.
    """

    calibrator: Calibrator
    rule: Rule
    blocked: Blocked = NOBODY

    def __call__(self, items: Sequence[tuple[Parcel, ...]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for parcels in items:
            ranked = self._ranked(files.read(parcels), self.blocked.users(files))
            start = 0
            for parcel in parcels:
                files.stage(RANKED, ranked.slice(start, parcel.rows), parcel.key)
                start += parcel.rows
        yield from ()

    def _ranked(self, rows: pl.DataFrame, blocked: pl.DataFrame) -> pl.DataFrame:
        margin = rows.get_column(MARGIN).to_numpy()
        rank, decile = ranks(margin, rows.get_column("user_id").to_numpy())
        probability = self.calibrator.apply(margin)
        shut_out = rows.get_column("user_id").is_in(blocked.get_column("user_id").implode()).to_numpy()
        return rows.with_columns(
            pl.Series("probability", probability),
            pl.Series("probability_raw", sigmoid(margin)),
            pl.Series("rank", rank),
            pl.Series("decile", decile),
            pl.Series("selected", selected(rank, probability, self.rule, shut_out)),
        )


@dataclass(frozen=True)
class RankedPart:
    """The rows of a part, ranked and explained."""

    ranked: Parcel
    explained: Parcel

    @property
    def size(self) -> int:
        """Bytes that are read."""
        return self.ranked.size + self.explained.size


@dataclass(frozen=True)
class WritePredictions:
    """Work on `RankedPart`s: writes a file of `predictions` of each. `alike`: columns of equal values."""

    month: date
    model_version: int
    alike: Mapping[str, Alike]

    def __call__(self, items: Sequence[RankedPart], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Nothing is told."""
        for part in items:
            columns = [files.read([part.ranked]), files.read([part.explained])]
            rows = pl.concat(columns, how="horizontal")
            made = rows.with_columns(**{name: pl.lit(value) for name, value in self.alike.items()})
            files.write(PREDICTIONS, made, {"month": self.month, "model_version": self.model_version})
        yield from ()


@dataclass(frozen=True)
class CountDeciles:
    """Work on files of `predictions`: tells of each tenth `users`, `selected`, of probabilities `lowest`,
    `sum` and `highest`, and the `scoring_id` that made them.
    """

    def __call__(self, items: Sequence[DataFile], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a file, decile and scoring."""
        for file in items:
            rows = files.read([file], ["decile", "probability", "selected", "scoring_id"])
            p = pl.col("probability")
            yield from (
                rows.group_by("decile", "scoring_id")
                .agg(
                    pl.len().cast(pl.Int64).alias("users"),
                    p.min().alias("lowest"),
                    p.sum().alias("sum"),
                    p.max().alias("highest"),
                    pl.col("selected").sum().cast(pl.Int64),
                )
                .to_dicts()
            )


def write_scores(
    tasks: Tasks,
    features: Sequence[DataFile],
    explain: ExplainUsers,
    rank: RankUsers,
    write: WritePredictions,
) -> tuple[Written, ...]:
    """Files of `predictions` of the users of a month's files of `features`; nothing is committed."""
    parts = parts_of(features)
    month = f"{write.month:%Y-%m}"
    explained = tasks.run(
        parts, explain, weight=lambda part: part.size, named=lambda part: f"features of {month}"
    )
    margins = tuple(sorted(explained.of(MARGINS), key=lambda parcel: parcel.key))
    if not margins:
        return ()
    ranked = tasks.run(
        [margins],
        rank,
        weight=lambda all_of: sum(one.size for one in all_of),
        named=lambda _: f"ranks of {month}",
    )
    reasons = {parcel.key: parcel for parcel in explained.of(EXPLAINED)}
    made = [RankedPart(parcel, reasons[parcel.key]) for parcel in ranked.of(RANKED)]
    done = tasks.run(made, write, weight=lambda part: part.size, named=lambda part: f"predictions of {month}")
    return done.written


def parts_of(features: Sequence[DataFile], rows: int = _ROWS_A_PART) -> list[Part]:
    """The files in parts of about so many rows."""
    return [Part(number, tuple(mine)) for number, mine in enumerate(batches(features, rows))]


def matrix_of(rows: pl.DataFrame, order: Sequence[str]) -> Matrix:
    """The features in that order, null as NaN."""
    return rows.select(pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in order).to_numpy()


def deciles_of(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Users, lowest, mean and highest probability, selected: a row a tenth, from what `CountDeciles` told."""
    deciles = []
    for decile in sorted({line["decile"] for line in results}):
        mine = [line for line in results if line["decile"] == decile]
        users = sum(line["users"] for line in mine)
        deciles.append(
            {
                "decile": decile,
                "users": users,
                "lowest": min(line["lowest"] for line in mine),
                "mean": sum(line["sum"] for line in mine) / users,
                "highest": max(line["highest"] for line in mine),
                "selected": sum(line["selected"] for line in mine),
            }
        )
    return deciles

"""Users of a month in groups: a bounded sample of each, chosen by stated dice; by tasks over their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.subgroups import OTHER, RANGES, UNKNOWN, largest_cities, named_range
from pozytywka_spark.errors import DataError
from pozytywka_spark.features.top_groups import group_names
from pozytywka_spark.hashing.codes import in_words
from pozytywka_spark.hashing.dice import dice
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.lake.event_days import span_of_features
from pozytywka_spark.lake.shards import DataFile
from pozytywka_spark.lake.tasks import TaskFiles, Tasks
from pozytywka_spark.lake.whole_month import ChosenMonth, choose_month
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.names import SUBGROUPS, TOP_GROUP, UNGROUPED
from pozytywka_spark.schemas import PREDICTIONS
from pozytywka_spark.scoring.month_work import Part

EVERYONE = "all users"
SEGMENT, DICE = "segment", "dice"
# Kind of parcels: user_id, columns, segment and dice of the users of a part who may belong to the sample
GROUPED = "grouped"
_DIGITS = 10**12  # expected purchases are summed in whole numbers of 1e-12: the same in any order


@dataclass(frozen=True)
class ScoredFiles:
    """A month's files of `features`, of the champion's `predictions`, and of `users` if they are needed."""

    features: tuple[DataFile, ...]
    predictions: tuple[DataFile, ...]
    users: tuple[DataFile, ...]
    columns: tuple[str, ...]  # of the table features
    groups: Mapping[int, str]  # names of groups of genres by code, where users are grouped by them


def choose_scored(settings: Settings, lake: Lake, month: date | None, model: ServingModel) -> ChosenMonth:
    """A month (default: the last complete one scored). Raises `DataError` if the champion has scored none."""
    months: set[date] = set()
    if lake.exists(PREDICTIONS.name):
        scored = lake.rows(PREDICTIONS.name, ["month", "model_version"])
        pairs = scored.group_by(["month", "model_version"]).aggregate([]).to_pylist()
        mine = {row["month"] for row in pairs if row["model_version"] == model.version}
        months = {each for each in mine if month in (None, each)}
    if not months:
        which = f"{month:%Y-%m} has no scores" if month else "no month has scores"
        flag = f" --month {month:%Y-%m}" if month else ""
        raise DataError(f"{which} of the champion, {_told(model)}: run the score job first (score{flag})")
    return choose_month(months, span_of_features(settings, lake), month, "simulated")


def scored_files(lake: Lake, tasks: Tasks, month: date, by: str, model: ServingModel) -> ScoredFiles:
    """What a simulation reads. Raises `DataError` if the lake has not what it takes to group users so."""
    schema = lake.schema("features")
    columns = tuple(schema.names) if schema is not None else ()
    by_city = by == "city" and lake.exists("users")
    groups = group_names(lake) if by == TOP_GROUP else {}
    by_range = by in RANGES and RANGES[by][0] in columns
    if by != UNGROUPED and not (by_city or by_range or groups):
        raise DataError(
            f"users can't be grouped by {by}: the lake has not what it takes; "
            f"choose another --segment of {', '.join((UNGROUPED, *SUBGROUPS, TOP_GROUP))}"
        )
    scored: Partition = {"month": month, "model_version": model.version}
    names = ["user_id", "probability"]
    users = lake.shards("users", tasks, columns=["user_id", "city"]) if by_city else []
    shards = (
        lake.shards("features", tasks, [{"month": month}]),
        lake.shards(PREDICTIONS.name, tasks, [scored], names),
        users,
    )
    files = [tuple(file for shard in each for file in shard.files) for each in shards]
    return ScoredFiles(files[0], files[1], files[2], columns, groups)


@dataclass(frozen=True)
class GroupUsers:
    """Work on `Part`s of a month's features: stages GROUPED, and tells each segment's sums.

    Told are `segment` (null with the part's `stray` users, who have no score), its `users` and their expected
    `purchases` in units of 1e-12. Of each segment at most `most` users are staged, those of the lowest dice.
    """

    by: str
    columns: tuple[str, ...]
    predictions: tuple[DataFile, ...]
    users: tuple[DataFile, ...]
    most: int
    seed: int
    groups: Mapping[int, str] = field(default_factory=dict)

    def __call__(self, items: Sequence[Part], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a part and segment, and one a part."""
        scores = files.shared(self.predictions, ["user_id", "probability"])
        for part in items:
            grouped_by = [RANGES[self.by][0]] if self.by in RANGES else []
            grouped_by += [TOP_GROUP] if self.by == TOP_GROUP else []
            rows = files.read(part.files, list(dict.fromkeys(["user_id", *self.columns, *grouped_by])))
            scored = rows.join(scores.drop_nulls(), on="user_id", how="inner", maintain_order="left")
            yield {SEGMENT: None, "rows": rows.height, "stray": rows.height - scored.height}
            named = scored.with_columns(self._segments(scored, files).alias(SEGMENT))
            diced = named.with_columns(dice(named, self.seed, ("user_id",)).alias(DICE))
            units = (pl.col("probability") * _DIGITS).round().cast(pl.Int64)
            sums = diced.group_by(SEGMENT).agg(pl.len().alias("users"), units.sum().alias("purchases"))
            yield from sums.to_dicts()
            drawn = diced.select("user_id", *self.columns, SEGMENT, DICE)
            files.stage(GROUPED, lowest_of_each(drawn, self.most))

    def _segments(self, rows: pl.DataFrame, files: TaskFiles) -> pl.Series:
        """The groups' names, such as "activity: 10 to 49 plays"."""
        if self.by == UNGROUPED:
            return pl.repeat(EVERYONE, rows.height, eager=True)
        if self.by == "city":
            groups = cities_of(rows, files.shared(self.users, ["user_id", "city"]))
        elif self.by == TOP_GROUP:
            named = rows.select(in_words(TOP_GROUP, self.groups, UNKNOWN)).to_series()
            return "top group: " + named
        else:
            value = pl.col(RANGES[self.by][0]).cast(pl.Float64).fill_nan(None)
            groups = rows.select(named_range(self.by, value)).to_series()
        return f"{self.by}: " + groups


def cities_of(rows: pl.DataFrame, users: pl.DataFrame) -> pl.Series:
    """Each user's city, "other" beyond the twenty with most users, "unknown" for who has none."""
    large = largest_cities(dict(users.group_by("city").len().iter_rows()))
    city = pl.when(pl.col("city").is_in(large)).then("city").otherwise(pl.lit(OTHER))
    named = users.drop_nulls().unique("user_id").with_columns(city.alias("city"))
    joined = rows.select("user_id").join(named, on="user_id", how="left", maintain_order="left")
    return joined.get_column("city").fill_null(UNKNOWN)


def lowest_of_each(rows: pl.DataFrame, most: int) -> pl.DataFrame:
    """The rows of at most so many users of each segment, those with the lowest dice."""
    return rows.sort(DICE, "user_id").group_by(SEGMENT, maintain_order=True).head(most).select(rows.columns)


def sizes_told(
    results: Sequence[Mapping[str, Any]], scores: int, chosen_month: ChosenMonth, model: ServingModel
) -> dict[str, tuple[int, float]]:
    """Users and expected purchases of each segment, in the order of names; `scores` are the rows of scores.

    Raises `DataError` if the scores aren't those of the users that there are now.
    """
    parts = [line for line in results if line[SEGMENT] is None]
    stray = sum(line["stray"] for line in parts)
    stray += scores - (sum(line["rows"] for line in parts) - stray)
    if stray:
        raise DataError(
            f"the scores of {chosen_month.month:%Y-%m} by {_told(model)} "
            "are not of the users that table features "
            f"has now ({stray} differ): run the score job again"
        )
    sizes: dict[str, tuple[int, int]] = {}
    for line in results:
        if line[SEGMENT] is not None:
            users, units = sizes.get(line[SEGMENT], (0, 0))
            sizes[line[SEGMENT]] = (users + line["users"], units + line["purchases"])
    return {name: (users, units / _DIGITS) for name, (users, units) in sorted(sizes.items())}


def _told(model: ServingModel) -> str:
    return f"{model.name} version {model.version}"

"""Any labelled table as the factory's rows: piece by piece, put down a group a parcel."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.factory.proof.cases import BAD, NOT_LOOKED, OK, UNSURE
from pozytywka_spark.factory.table_pieces import typed
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles

ROWS = "rows"  # kind of parcels, keyed by group: what `group.build` takes
IDS = "ids"  # kind of parcels, keyed by bucket: the cases' names
KEYS = ("case_id", "group", "user_id", "cut_off", "verdict")
LOOKS = ("second_verdict", "third_verdict")  # a table may have them, empty where nobody looked again
VERDICTS = {"bad": BAD, "ok": OK, "unsure": UNSURE}
_NUMBERS = (pl.Boolean, pl.String)


@dataclass(frozen=True)
class SplitRows:
    """Work on a table's pieces: stages ROWS by group and IDS by bucket, tells each group's cases."""

    path: str
    kinds: Mapping[str, str]
    score_column: str
    group: str | None
    buckets: int

    def __call__(self, items: Sequence[Parcel], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a piece."""
        for parcel in items:
            table = typed(files.read([parcel]), self.kinds)
            rows, _ = as_rows(table, self.path, self.score_column, needs_verdict=True)
            stage_ids(rows, self.buckets, files)
            if self.group is not None:
                rows = rows.filter(pl.col("group") == self.group)
            groups = rows.partition_by("group", as_dict=True, maintain_order=True)
            for (name,), mine in groups.items():
                files.stage(ROWS, mine, (str(name),))
            yield {
                "groups": {str(name): mine.height for (name,), mine in groups.items()},
                "latest": rows.get_column("cut_off").max() if rows.height else None,
            }


def stage_ids(rows: pl.DataFrame, buckets: int, files: TaskFiles) -> None:
    """Put cases' names down so that all of one name meet in one bucket; one piece was looked at by itself."""
    if buckets:
        ids = rows.select("case_id")
        place = ids.get_column("case_id").hash(seed=0) % buckets
        for bucket in range(buckets):
            files.stage(IDS, ids.filter(place == bucket), (bucket,))


@dataclass(frozen=True)
class RefuseTwice:
    """Work on the IDS of buckets. Raises `DataError` for a case that stands in the table twice."""

    path: str

    def __call__(self, items: Sequence[tuple[Parcel, ...]], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """Tells nothing."""
        for parcels in items:
            refuse_twice(files.read(parcels), self.path)
        yield from ()


def refuse_twice(table: pl.DataFrame, path: str) -> None:
    """Raises `DataError`."""
    twice = table.filter(pl.col("case_id").is_duplicated())
    if twice.height:
        raise DataError(f"--from {path}: case_id {twice['case_id'][0]} stands twice: one row a case")


def refuse_columns(columns: Sequence[str], path: str, score_column: str, *, needs_verdict: bool) -> list[str]:
    """The columns that a table must have. Raises `DataError` where it lacks one."""
    needed = [name for name in KEYS if name != "verdict" or needs_verdict]
    needed += [score_column] if score_column else []
    missing = [name for name in needed if name not in columns]
    if missing:
        raise DataError(f"--from {path}: no column {', '.join(missing)}; it has {', '.join(columns)}")
    return needed


def features_of(columns: Sequence[str], score_column: str) -> list[str]:
    """The columns that a model learns from; none where a score is given."""
    return [] if score_column else [name for name in columns if name not in (*KEYS, *LOOKS)]


def as_rows(
    table: pl.DataFrame, path: str, score_column: str, needs_verdict: bool
) -> tuple[pl.DataFrame, list[str]]:
    """Rows as `group.build` takes them (and `group`), and the features' names. Raises `DataError`."""
    needed = refuse_columns(table.columns, path, score_column, needs_verdict=needs_verdict)
    features = features_of(table.columns, score_column)
    odd = [
        n
        for n in features
        if not (
            table.schema[n].is_numeric() or table.schema[n] in _NUMBERS or table.schema[n] == pl.Categorical
        )
    ]
    if odd:
        kind = table.schema[odd[0]]
        raise DataError(f"--from {path}: column {odd[0]} is {kind}; features are numbers, booleans or texts")
    if needs_verdict:
        table = table.filter(pl.col("verdict").is_not_null())
        for name in ("verdict", *(each for each in LOOKS if each in table.columns)):
            wrong = table.filter(~pl.col(name).cast(pl.String).is_in(list(VERDICTS)))
            if wrong.height:
                raise DataError(
                    f"--from {path}: {name} {wrong[name][0]!r} of case {wrong['case_id'][0]}: "
                    "expected bad, ok or unsure"
                )
    refuse_twice(table, path)
    empty = [name for name in needed if table.get_column(name).null_count()]
    if empty:
        raise DataError(
            f"--from {path}: {table[empty[0]].null_count()} rows have no {empty[0]}: mend the file"
        )
    if score_column and not table.schema[score_column].is_numeric():
        raise DataError(
            f"--from {path}: --score {score_column} is {table.schema[score_column]}, expected a number"
        )
    moment = _moment(table.get_column("cut_off"), path)
    verdict = (
        pl.col("verdict").cast(pl.String).replace_strict(VERDICTS, return_dtype=pl.Int64)
        if needs_verdict
        else pl.lit(UNSURE, pl.Int64)
    )
    texts = [name for name in features if table.schema[name] == pl.Categorical]
    rows = table.select(
        pl.col("case_id").cast(pl.String),
        pl.col("group").cast(pl.String),
        _account(table.get_column("user_id")).alias("accounts"),
        moment.alias("cut_off"),
        moment.alias("opened_at"),
        verdict.alias("verdict"),
        _majority(table.columns if needs_verdict else ()).alias("looked"),
        pl.lit(True).alias("testable"),
        *([pl.col(score_column).cast(pl.Float64).alias("score")] if score_column else []),
        *(pl.col(name).cast(pl.String) if name in texts else pl.col(name) for name in features),
    )
    return rows, features


def has_looks(columns: Collection[str]) -> bool:
    """Whether a table has three verdicts of cases that people looked at again."""
    return all(name in columns for name in LOOKS)


def _majority(columns: Collection[str]) -> pl.Expr:
    """What two of three say, UNSURE where no two do, NOT_LOOKED where there aren't three."""
    if not has_looks(columns):
        return pl.lit(NOT_LOOKED, pl.Int64)
    three = [pl.col(name).cast(pl.String) for name in ("verdict", *LOOKS)]
    votes = {said: pl.sum_horizontal(each == name for each in three) for name, said in VERDICTS.items()}
    most = pl.when(votes[BAD] > 1).then(BAD).when(votes[OK] > 1).then(OK).otherwise(UNSURE)
    there = three[1].is_not_null() & three[2].is_not_null()
    return pl.when(there).then(most).otherwise(NOT_LOOKED).cast(pl.Int64)


def _account(users: pl.Series) -> pl.Series:
    """Each row's one account in a list; names that are no numbers by a stated hash."""
    if not users.dtype.is_integer():
        texts = users.cast(pl.String).to_list()
        numbers = [
            int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1 for text in texts
        ]
        users = pl.Series(numbers, dtype=pl.Int64)
    return users.cast(pl.Int64).reshape((-1, 1)).arr.to_list()


def _moment(cut_off: pl.Series, path: str) -> pl.Series:
    """Microseconds since 1970, UTC; a text without a zone is UTC."""
    if cut_off.dtype == pl.String:
        text = cut_off.str.replace("Z$", "").str.replace(r"\+00:?00$", "").str.replace(" ", "T")
        full = pl.when(text.str.len_chars() == 10).then(text + "T00:00:00").otherwise(text)
        parsed = pl.select(full.str.to_datetime(time_unit="us", strict=False)).to_series()
        if parsed.null_count():
            bad = cut_off.filter(parsed.is_null())[0]
            raise DataError(f"--from {path}: cut_off {bad!r}: expected a time such as 2024-05-01T00:00:00")
        cut_off = parsed
    if cut_off.dtype.is_integer():
        return cut_off.cast(pl.Int64)
    if not cut_off.dtype.is_temporal():
        raise DataError(f"--from {path}: cut_off is {cut_off.dtype}, expected a time")
    return cut_off.cast(pl.Datetime("us")).dt.epoch("us")

"""Any labelled table as the factory's rows: read by a task, put down a group a parcel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import PurePath
from typing import Any

import polars as pl

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.factory.proof.cases import BAD, NOT_LOOKED, OK, UNSURE
from pozytywka_spark.lake.tasks import TaskFiles

ROWS = "rows"  # kind of parcels, keyed by group: what `group.build` takes
KEYS = ("case_id", "group", "user_id", "cut_off", "verdict")
VERDICTS = {"bad": BAD, "ok": OK, "unsure": UNSURE}
FORMATS = (".csv", ".jsonl", ".json", ".parquet")
_NUMBERS = (pl.Boolean, pl.String)


@dataclass(frozen=True)
class ReadLabelled:
    """Work on paths of files: stages ROWS, tells of each group its cases, and the features."""

    score_column: str = ""
    needs_verdict: bool = True
    group: str | None = None

    def __call__(self, items: Sequence[str], files: TaskFiles) -> Iterator[dict[str, Any]]:
        """A line a file."""
        for path in items:
            rows, features = as_rows(read_table(path), path, self.score_column, self.needs_verdict)
            if self.group is not None:
                rows = rows.filter(pl.col("group") == self.group)
            groups = rows.partition_by("group", as_dict=True, maintain_order=True)
            for (name,), mine in groups.items():
                files.stage(ROWS, mine, (str(name),))
            latest = rows.get_column("cut_off").max() if rows.height else None
            yield {
                "groups": {str(name): mine.height for (name,), mine in groups.items()},
                "features": features,
                "latest": latest,
            }


def read_table(path: str) -> pl.DataFrame:
    """A CSV (with a header), JSON Lines or Parquet file. Raises `UsageError`, `DataError` in one line."""
    kind = PurePath(path).suffix.lower()
    if kind not in FORMATS:
        raise UsageError(f"--from {path}: expected a file that ends in {', '.join(FORMATS)}")
    try:
        if kind == ".csv":
            return pl.read_csv(path, infer_schema_length=None)
        return pl.read_parquet(path) if kind == ".parquet" else pl.read_ndjson(path, infer_schema_length=None)
    except FileNotFoundError:
        raise DataError(f"--from {path}: there is no such file") from None
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"--from {path}: can't be read as {kind[1:]}: {str(error).splitlines()[0]}"
        ) from error


def as_rows(
    table: pl.DataFrame, path: str, score_column: str, needs_verdict: bool
) -> tuple[pl.DataFrame, list[str]]:
    """Rows as `group.build` takes them (and `group`), and the features' names. Raises `DataError`."""
    needed = [name for name in KEYS if name != "verdict" or needs_verdict]
    needed += [score_column] if score_column else []
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise DataError(f"--from {path}: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    features = [] if score_column else [name for name in table.columns if name not in KEYS]
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
        wrong = table.filter(~pl.col("verdict").cast(pl.String).is_in(list(VERDICTS)))
        if wrong.height:
            raise DataError(
                f"--from {path}: verdict {wrong['verdict'][0]!r} of case {wrong['case_id'][0]}: "
                "expected bad, ok or unsure"
            )
    twice = table.filter(pl.col("case_id").is_duplicated())
    if twice.height:
        raise DataError(f"--from {path}: case_id {twice['case_id'][0]} stands twice: one row a case")
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
        pl.lit(NOT_LOOKED, pl.Int64).alias("looked"),
        pl.lit(True).alias("testable"),
        *([pl.col(score_column).cast(pl.Float64).alias("score")] if score_column else []),
        *(pl.col(name).cast(pl.String) if name in texts else pl.col(name) for name in features),
    )
    return rows, features


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

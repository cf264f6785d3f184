"""What moderation's tasks share: files as frames with times in microseconds, slices, months of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pozytywka_spark.hashing.slices import slice_of, text_slice
from pozytywka_spark.lake.shards import DataFile, Parcel
from pozytywka_spark.lake.tasks import TaskFiles
from pozytywka_spark.months import as_moment

ROWS_AT_ONCE = 2_000_000  # cases, answers or fouls that a task looks at
NEVER = -(1 << 62)  # before all times: nothing is settled yet
_UTC = pl.Datetime("us", "UTC")
Source = DataFile | Parcel


@dataclass(frozen=True)
class Files:
    """The files of a table, and the columns of it that are needed, with their types."""

    files: tuple[Source, ...]
    columns: pl.Schema

    def read(self, files: TaskFiles) -> pl.DataFrame:
        """Its rows, times as microseconds; none of a table that isn't there."""
        if not self.files:
            return in_micros(self.columns.to_frame())
        rows = files.read(self.files, self.columns.names())
        return in_micros(rows.select(self.columns.names()))

    def of_cases(self, files: TaskFiles, number: int, slices: int) -> pl.DataFrame:
        """The rows of a slice of cases."""
        rows = self.read(files)
        if slices == 1:
            return rows
        return rows.filter(text_slice(rows.get_column("case_id").fill_null(""), slices) == number)

    def of_users(self, files: TaskFiles, number: int, slices: int) -> pl.DataFrame:
        """The rows of a slice of users."""
        rows = self.read(files)
        return rows if slices == 1 else rows.filter(slice_of("user_id", slices) == number)

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)

    @property
    def rows(self) -> int:
        """How many rows its files hold."""
        return sum(file.rows for file in self.files)


def in_micros(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows with every time as microseconds since 1970."""
    times = [name for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime)]
    return rows.with_columns(pl.col(name).dt.epoch("us") for name in times)


def as_times(rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    """With these columns, microseconds since 1970, as times in UTC."""
    return rows.with_columns(
        pl.col(name).cast(pl.Datetime("us")).dt.replace_time_zone("UTC") for name in names
    )


def month_of(column: str) -> pl.Expr:
    """The month of a column of microseconds, as a date."""
    return pl.col(column).cast(pl.Datetime("us")).dt.date().dt.truncate("1mo").alias("month")


def month_at(micros: int) -> date:
    """The month of a time; the first there is of NEVER."""
    return date.min if micros == NEVER else as_moment(micros).date().replace(day=1)


def by_month(rows: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    """Rows (with `month`) of each month, in its order."""
    for (month,), part in rows.sort("month", maintain_order=True).group_by("month", maintain_order=True):
        assert isinstance(month, date)
        yield month, part.drop("month")


def concat(frames: Sequence[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    """Frames below each other, in the columns of the schema."""
    return pl.concat([schema.to_frame(), *(frame.select(schema.names()) for frame in frames)])


_TIME, _TEXT, _WHOLE = _UTC, pl.String(), pl.Int64()
CASES = pl.Schema(
    {
        "case_id": _TEXT,
        "group": _TEXT,
        "accounts": pl.List(pl.Int64),
        "day": pl.Date(),
        "cut_off": _TIME,
        "opened_at": _TIME,
        "ring": _TEXT,
    }
)
VERDICTS = pl.Schema(
    {"case_id": _TEXT, "reviewer": _TEXT, "verdict": _TEXT, "decided_at": _TIME, "source": _TEXT}
)
ASIDE = pl.Schema({**VERDICTS, "reason": _TEXT})
DECISIONS = pl.Schema(
    {
        "case_id": _TEXT,
        "group": _TEXT,
        "build_id": _TEXT,
        "decision": _TEXT,
        "mode": _TEXT,
        "release_at": _TIME,
    }
)
MODELS = pl.Schema({"build_id": _TEXT, "group": _TEXT, "side": _TEXT, "state": _TEXT, "effective_at": _TIME})
LOOKS = pl.Schema({"case_id": _TEXT, "requested_at": _TIME, "looks": pl.Int32()})
RELEASES = pl.Schema(
    {
        "case_id": _TEXT,
        "group": _TEXT,
        "verdict": _TEXT,
        "cause": _TEXT,
        "released_at": _TIME,
        "month": pl.Date(),
    }
)
APPEALS = pl.Schema(
    {
        "user_id": _WHOLE,
        "case_id": _TEXT,
        "appealed_at": _TIME,
        "reviewer": _TEXT,
        "verdict": _TEXT,
        "decided_at": _TIME,
        "recorded_at": _TIME,
        "acted_at": _TIME,
    }
)
FOULS = pl.Schema(
    {
        "user_id": _WHOLE,
        "case_id": _TEXT,
        "group": _TEXT,
        "day": pl.Date(),
        "released_at": _TIME,
        "cause": _TEXT,
        "step": pl.Int32(),
        "belongs_to": _TEXT,
        "cancelled": pl.Boolean(),
        "recorded_at": _TIME,
        "month": pl.Date(),
    }
)
BLOCKS = pl.Schema(
    {
        "user_id": _WHOLE,
        "case_id": _TEXT,
        "starts_at": _TIME,
        "ends_at": _TIME,
        "step": pl.Int32(),
        "recorded_at": _TIME,
        "month": pl.Date(),
    }
)
RINGS = pl.Schema({"month": pl.Date(), "ring": _TEXT, "user_id": _WHOLE, "tracks": pl.List(pl.String)})
EVENTS = pl.Schema({"user_id": _WHOLE, "event_time": _TIME, "event_type": _TEXT, "track_id": _TEXT})

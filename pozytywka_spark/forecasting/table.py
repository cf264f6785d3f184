"""`forecast table`: forecasts of any table of series, which needs no lake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.forecasting.spec import SEASONS, Spec
from pozytywka_spark.forecasting.table_read import Columns, read_table, times_read
from pozytywka_spark.reports.files import unfinished

# steps before the origin that models see: of days three years, so that two come before the earliest origin
HISTORY = {"h": 2_000, "D": 1_100, "W": 1_100, "MS": 1_100}
FARTHEST = 10_000
PLAIN_ONLY = frozenset({"seasonal_naive", "last_value", "median", "no_value"})
_LONGEST = {
    "h": timedelta(hours=1),
    "D": timedelta(days=1),
    "W": timedelta(weeks=1),
    "MS": timedelta(days=31),
}
FORECASTS, ERRORS = "forecasts", "errors"


@dataclass(frozen=True)
class TableReport:
    """What was forecast, where it lies, how far off the backtest was (errors over the naive's, by model; the
    combination's is `combined`), and how many models failed.

    `fallbacks`: how many series only plain models forecast, by which: `no_value` is 0, `median` is of the
    last season and the last value, where there was no error to weigh them by.
    """

    series: int
    horizon: int
    forecasts: Path
    errors: Path
    relative: dict[str, float]
    failures: int
    fallbacks: dict[str, int]


def table_spec(freq: str, season: int, horizon: int, origin: str | None = None) -> Spec:
    """What `forecast table` asks for; longer seasons that a step of time has come along."""
    longer = tuple(other for other in SEASONS[freq] if other > season > 1)
    return Spec(horizon, freq, (season, *longer), history=HISTORY[freq], origin=origin)


def forecast_table(
    path: Path, columns: Columns, freq: str, season: int, horizon: int, out: Path, origin: str | None = None
) -> TableReport:
    """Forecast every series of a CSV or Parquet file and write them into the folder `out`, as the file is.

    `forecasts`: series, time, mean, low_80, high_80, low_90, high_90, a row a series and step ahead;
    `errors`: the backtest's, as `Outcome` has them. A series' forecast follows its last value, or is from
    `origin` on, the first time that isn't seen. Raises `UsageError` and `DataError` as `read_table` does, and
    for an `origin` that lies outside the data or is no time.
    """
    from pozytywka_spark.forecasting.one_bucket import forecast_bucket  # its libraries take seconds to load

    if freq not in SEASONS:
        raise UsageError(f"--freq {freq}: expected one of {', '.join(SEASONS)}")
    if season < 1 or not 1 <= horizon <= FARTHEST:
        raise UsageError(
            f"--season {season} --horizon {horizon}: expected whole numbers, 1 or more, and {FARTHEST:,} "
            "steps ahead at most"
        )
    frame = read_table(path, columns, freq)
    _check_last(path, frame, freq, horizon)
    if origin is not None:
        origin = _origin(origin, frame)
    made = forecast_bucket(frame, table_spec(freq, season, horizon, origin))
    write, ending = _writer(path)
    forecasts, errors = out / f"{FORECASTS}{ending}", out / f"{ERRORS}{ending}"
    _write(write, made.forecasts.drop("ahead", "weights"), forecasts)
    _write(write, made.errors, errors)
    return TableReport(
        made.forecasts["series"].n_unique(),
        horizon,
        forecasts,
        errors,
        _relative(made.errors),
        made.failures.height,
        _fallbacks(made.forecasts),
    )


def _fallbacks(forecasts: pl.DataFrame) -> dict[str, int]:
    once = forecasts.filter(pl.col("ahead") == 1).get_column("weights").to_list()
    names = [sorted(pair["key"] for pair in weights) for weights in once]
    plain = [" and ".join(of) for of in names if set(of) <= PLAIN_ONLY]
    return dict(sorted(Counter(plain).items()))


def _check_last(path: Path, frame: pl.DataFrame, freq: str, horizon: int) -> None:
    last = frame["day"].cast(pl.Datetime("us")).max()
    assert isinstance(last, datetime)
    if last > datetime.max - (horizon + 1) * _LONGEST[freq]:
        raise DataError(f"{path} ends {last}: {horizon} steps of --freq {freq} lie beyond the year 9999")


def _origin(text: str, frame: pl.DataFrame) -> str:
    origin = times_read(pl.Series([text]))[0]
    if origin is None:
        raise UsageError(f"--origin {text!r}: expected a time such as 2024-05-01")
    days = frame["day"].cast(pl.Datetime("us")).unique().sort()
    first, last = days[0], days[-1]
    if not first < origin <= last + _longest_step(days):
        raise DataError(
            f"--origin {text}: it lies outside the data, which begins {first} and ends {last}; "
            "take the first time not to be seen, at the latest the one after the last"
        )
    return str(origin.isoformat())


def _longest_step(days: pl.Series) -> timedelta:
    steps = days.diff().drop_nulls().sort()
    return timedelta(0) if steps.is_empty() else timedelta(seconds=steps[-1].total_seconds())


def _writer(path: Path) -> tuple[Callable[[pl.DataFrame, Path], None], str]:
    if path.suffix.lower() == ".csv":
        return (lambda frame, place: frame.write_csv(place)), ".csv"
    return (lambda frame, place: frame.write_parquet(place)), ".parquet"


def _write(write: Callable[[pl.DataFrame, Path], None], frame: pl.DataFrame, path: Path) -> None:
    try:
        with unfinished(path) as place:
            write(frame, place)
    except OSError as error:
        raise DataError(f"{path} can't be written: {error.strerror or error}; give another --out") from None


def _relative(errors: pl.DataFrame) -> dict[str, float]:
    """Mean scaled error over the seasonal naive's, of what both forecast."""
    key = ["series", "origin", "ahead"]
    naive = errors.filter(pl.col("model") == "seasonal_naive").select(*key, naive="scaled")
    beside = errors.join(naive, on=key).group_by("model").agg(pl.col("scaled").mean(), pl.col("naive").mean())
    return {
        str(row["model"]): row["scaled"] / row["naive"] if row["naive"] > 0 else 1.0
        for row in beside.sort("model").to_dicts()
    }

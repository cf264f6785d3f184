"""What the lake holds of series and forecasts, as frames. Few rows, read in this process; no Spark here."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pozytywka_spark.errors import DataError
from pozytywka_spark.forecasting.series_names import series_name
from pozytywka_spark.lake.api import Lake, Partition
from pozytywka_spark.lake.partitions import of_path
from pozytywka_spark.months import months_between
from pozytywka_spark.schemas import FORECAST_ERRORS, FORECASTS, SERIES_DAILY, SERIES_MONTHLY

DAILY, MONTHLY = "D", "MS"
KEYS = ("measure", "city", "group_id")
ALL = "all"
COMBINED, NAIVE = "combined", "seasonal_naive"
_ERROR_COLUMNS = ("model", "origin", "ahead", "day", "mean", "actual", "scaled")


@dataclass(frozen=True)
class Latest:
    """Rows of `forecasts` of one step and origin."""

    step: str
    origin: date
    rows: pl.DataFrame

    @property
    def run(self) -> str:
        """Which forecast made them."""
        return str(self.rows.get_column("run")[0])


@dataclass(frozen=True)
class Content:
    """What days hold, whatever files they lie in: the first of them, the names of series, a digest of values.

    Series of a city and genre group where nothing ever happened are none of them: that such a pair exists may
    only be known from later days. The digest is of what isn't 0. `plays`: their sum by city and genre group.
    """

    first: date | None
    series: tuple[str, ...]
    digest: str
    plays: Mapping[tuple[str, str], float]


def is_total() -> pl.Expr:
    """Rows of a measure's total."""
    return (pl.col("city") == ALL) & (pl.col("group_id") == ALL)


def origins_of(lake: Lake, step: str) -> list[date]:
    """The origins that there are forecasts of, the oldest first; read off the log alone."""
    if not lake.exists(FORECASTS.name):
        return []
    places = [of_path(path) for path in lake.files(FORECASTS.name)]
    return sorted({date.fromisoformat(str(each["origin"])) for each in places if each["step"] == step})


def latest_of(lake: Lake, step: str = DAILY, measures: Collection[str] | None = None) -> Latest:
    """The forecast of the latest origin. Raises `DataError` if there is none."""
    origins = origins_of(lake, step)
    if not origins:
        what = "daily" if step == DAILY else "monthly"
        raise DataError(f"no {what} forecast in {lake.root}: make one with forecast run")
    rows = forecast_rows(lake, step, origins[-1], measures)
    return Latest(step, origins[-1], rows)


def forecast_rows(
    lake: Lake, step: str, origin: date, measures: Collection[str] | None = None
) -> pl.DataFrame:
    """Rows of `forecasts` of one origin, by series and day; `weights` as a map."""
    partition: Partition = {"step": step, "origin": origin}
    frame = pl.DataFrame(lake.rows(FORECASTS.name, None, [partition]))
    return _of_measures(frame, measures).sort(*KEYS, "day")


def combined_errors(lake: Lake, step: str, measures: Collection[str] | None = None) -> pl.DataFrame:
    """Errors of what the models were combined to, in the latest backtest; no rows where there was none."""
    if not lake.exists(FORECAST_ERRORS.name):
        return pl.DataFrame(schema=ERRORS)
    rows = lake.rows(FORECAST_ERRORS.name, [*KEYS, *_ERROR_COLUMNS], [{"step": step}])
    frame = pl.DataFrame(rows).filter(pl.col("model") == COMBINED)
    return _of_measures(frame, measures).sort(*KEYS, "origin", "ahead")


ERRORS = {
    **dict.fromkeys((*KEYS, "model"), pl.String()),
    "origin": pl.Date(),
    "ahead": pl.Int32(),
    "day": pl.Date(),
    **dict.fromkeys(("mean", "actual", "scaled"), pl.Float64()),
}


def daily_values(
    lake: Lake, first: date, end: date, measures: Collection[str] | None = None, *, totals: bool = False
) -> pl.DataFrame:
    """Rows of `series_daily` of the days in `[first, end)`, of some measures or of totals only."""
    frames = [
        _of_measures(each.filter(is_total()) if totals else each, measures)
        for each in _by_month(lake, first, end)
    ]
    return pl.concat(frames).sort(*KEYS, "day")


def monthly_values(lake: Lake, end: date) -> pl.DataFrame:
    """Rows of `series_monthly` before a month."""
    frame = pl.DataFrame(lake.rows(SERIES_MONTHLY.name, [*KEYS, "month", "value"]))
    return frame.filter(pl.col("month") < end).sort(*KEYS, "month")


def span_of_series(lake: Lake) -> tuple[date, date]:
    """The first day of `series_daily` and the day after its last. Raises `DataError` if it has none."""
    months = _months(lake)
    if not months:
        raise DataError(f"no series in {lake.root}: ingest a delivery first, of 14 whole days at least")
    first, last = (
        pl.DataFrame(lake.rows(SERIES_DAILY.name, ["day"], [{"month": month}])).get_column("day")
        for month in (months[0], months[-1])
    )
    begin, latest = first.min(), last.max()
    assert isinstance(begin, date)
    assert isinstance(latest, date)
    return begin, date.fromordinal(latest.toordinal() + 1)


def content_of(lake: Lake, first: date, end: date) -> Content:
    """What the days in `[first, end)` hold, a month's rows at a time."""
    return _content(_by_month(lake, first, end))


def monthly_content_of(lake: Lake, end: date) -> Content | None:
    """What the months before `end` hold, None without such a table."""
    if not lake.exists(SERIES_MONTHLY.name):
        return None
    return _content([monthly_values(lake, end).rename({"month": "day"})])


def _content(frames: Iterable[pl.DataFrame]) -> Content:
    digest, names, alive = hashlib.sha256(), set[tuple[str, str, str]](), set[tuple[str, str]]()
    first, plays = None, Counter[tuple[str, str]]()
    for rows in frames:
        if not rows.height:
            continue
        played = (
            rows.filter(pl.col("measure") == "plays").group_by("city", "group_id").agg(pl.col("value").sum())
        )
        for city, group, value in played.iter_rows():
            plays[city, group] += value
        first = first or rows.get_column("day").min()
        names |= set(rows.select(KEYS).unique().rows())
        there = rows.filter(pl.col("value") != 0).sort(*KEYS, "day")
        alive |= set(there.select("city", "group_id").unique().rows())
        words = there.select(pl.concat_str(KEYS, separator="\x1f")).to_series()
        digest.update("\x1e".join(words.to_list()).encode())
        digest.update(there.get_column("day").to_physical().cast(pl.Int32).to_numpy().tobytes())
        digest.update(there.get_column("value").to_numpy().tobytes())
    series = sorted(series_name(*name) for name in names if name[1:] in alive or name[1:] == (ALL, ALL))
    digest.update("\x1e".join(series).encode())
    assert first is None or isinstance(first, date)
    return Content(first, tuple(series), digest.hexdigest(), plays)


def _by_month(lake: Lake, first: date, end: date) -> Iterator[pl.DataFrame]:
    there = set(_months(lake))
    columns = [*KEYS, "day", "value"]
    for month in months_between(first.replace(day=1), date.fromordinal(end.toordinal() - 1).replace(day=1)):
        if month in there:
            rows = pl.DataFrame(lake.rows(SERIES_DAILY.name, columns, [{"month": month}]))
            yield rows.filter(pl.col("day").is_between(first, end, closed="left"))
    yield pl.DataFrame(schema=VALUES)


VALUES = {**dict.fromkeys(KEYS, pl.String()), "day": pl.Date(), "value": pl.Float64()}


def _months(lake: Lake) -> Sequence[date]:
    if not lake.exists(SERIES_DAILY.name):
        return []
    months = {str(of_path(path)["month"]) for path in lake.files(SERIES_DAILY.name)}
    return sorted(map(date.fromisoformat, months))


def _of_measures(frame: pl.DataFrame, measures: Collection[str] | None) -> pl.DataFrame:
    return frame if measures is None else frame.filter(pl.col("measure").is_in(sorted(measures)))

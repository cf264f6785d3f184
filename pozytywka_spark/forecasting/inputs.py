"""What a forecast is made of: which days, which series in which buckets, and what names them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import polars as pl

from pozytywka_spark.config import Settings
from pozytywka_spark.config.forecast import FARTHEST_DAYS
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.forecasting.joined import JoinedByCity, joined_of
from pozytywka_spark.forecasting.known_file import read_known
from pozytywka_spark.forecasting.measures import ALL, BY_NAME
from pozytywka_spark.forecasting.series_names import ESCAPED, SEPARATOR, place_of
from pozytywka_spark.forecasting.spec import SEASONS, Spec
from pozytywka_spark.forecasting.stored import (
    DAILY,
    MONTHLY,
    Content,
    content_of,
    monthly_content_of,
    monthly_values,
    span_of_series,
)
from pozytywka_spark.hashing.fingerprints import MEDIUM, fingerprint_of
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.months import month_after
from pozytywka_spark.schemas import SERIES_MONTHLY

FORMAT = 2  # of what forecasts of the same inputs are: another number has all made anew
FEWEST_DAYS = 14
FEWEST_MONTHS = 24
# what days of these are isn't what that day's users did, so many times what one does
NOT_BY_USERS = ("new_users", "premium_users", "storage_cost")
MOST_SERIES = 25  # of a bucket: a core is busy for a minute, and holds no more
# A genre group in a city with fewer plays a day than this is mostly noise, whose sums the city and the group
# know better: the models that take most time have no say in it
FEW_PLAYS = 30.0
SLOW = ("calendar", "arima")
MOST_THIN = 100  # of a bucket of such series


@dataclass(frozen=True)
class Bucket:
    """Series of one measure that one task forecasts."""

    step: str
    measure: str
    series: tuple[str, ...]
    spec: Spec


@dataclass(frozen=True)
class Asked:
    """A forecast that is asked for: `first` and `origin` are the first day seen and the first not seen.

    `months`: likewise of the forecast by months, None where there are too few; `run` names all that decides
    the result; `buckets` go from the most work to the least; `odd` days before the origin aren't looked at.
    """

    origin: date
    first: date
    horizon: int
    months: tuple[date, date] | None
    buckets: tuple[Bucket, ...]
    run: str
    notes: tuple[str, ...]
    odd: tuple[date, ...] = ()

    @property
    def month_origin(self) -> date:
        """The first month not seen."""
        return self.origin.replace(day=1)

    @property
    def series(self) -> int:
        """How many are foretold by day."""
        return sum(len(bucket.series) for bucket in self.buckets if bucket.step == DAILY)


def asked_of(
    settings: Settings, lake: Lake, origin: date | None, horizon: int | None, origins: int | None = None
) -> Asked:
    """What to forecast from the series in the lake, from `origin` (the day after the last complete one) on.

    Nothing of it depends on the origin's day or later ones. Raises `DataError` for an origin outside the data
    and for fewer than 14 days before it, `UsageError` for a horizon beyond 400 days.
    """
    wanted = settings.forecast
    begin, end = span_of_series(lake)
    day = _origin(begin, end, origin)
    horizon, origins = horizon or wanted.horizon_days, origins or wanted.origins
    if horizon > FARTHEST_DAYS:
        raise UsageError(f"--horizon {horizon}: expected {FARTHEST_DAYS} days at most")
    first = max(begin, day - timedelta(days=wanted.history_days))
    odd = _odd(wanted.known_days, first, day)
    known = read_known(wanted.known, first, day + timedelta(days=horizon)) if wanted.known else None
    content = content_of(lake, first, day)
    daily = Spec(
        horizon,
        DAILY,
        SEASONS[DAILY],
        origins=origins,
        history=wanted.history_days,
        origin=f"{day}",
        model_seconds=wanted.model_seconds,
        known=known,
        joined=_joined(lake, day),
    )
    monthly = replace(
        daily,
        horizon=wanted.horizon_months,
        freq=MONTHLY,
        seasons=SEASONS[MONTHLY],
        history=None,
        origin=f"{day.replace(day=1)}",
        known=None,
        joined=None,
    )
    of_months = _monthly(lake, day)
    buckets = _buckets(content, daily, day)
    if of_months:
        buckets += _buckets(of_months[1], monthly, of_months[0][1])
    notes = () if of_months else (f"no forecast by months: it takes {FEWEST_MONTHS} complete ones",)
    return Asked(
        day,
        first,
        horizon,
        of_months[0] if of_months else None,
        tuple(sorted(buckets, key=lambda bucket: -len(bucket.series) * len(bucket.spec.models))),
        _run(day, first, content, of_months[1] if of_months else None, (daily, monthly), known, odd),
        notes,
        odd,
    )


def _origin(begin: date, end: date, asked: date | None) -> date:
    day = asked or end
    days = (end - begin).days
    if days < FEWEST_DAYS:
        raise DataError(
            f"the lake has {days} complete days, {begin} to {end - timedelta(days=1)}: a forecast needs "
            f"{FEWEST_DAYS}; ingest more"
        )
    earliest = begin + timedelta(days=FEWEST_DAYS)
    if not earliest <= day <= end:
        raise DataError(
            f"--origin {day}: outside the data, of which {begin} to {end - timedelta(days=1)} are complete; "
            f"expected {earliest} to {end}"
        )
    return day


def _joined(lake: Lake, day: date) -> JoinedByCity | None:
    """Users who joined in each month before the day's; None without series by month."""
    if not lake.exists(SERIES_MONTHLY.name):
        return None
    rows = monthly_values(lake, day.replace(day=1)).filter(measure="new_users", group_id=ALL)
    # that there is such a city may only be known from later days
    rows = rows.filter(pl.col("value").sum().over("city") > 0)
    return joined_of(
        rows.select(pl.col("city").str.replace_all(SEPARATOR, ESCAPED, literal=True), "month", "value")
    )


def _monthly(lake: Lake, day: date) -> tuple[tuple[date, date], Content] | None:
    """The months before the origin's and what they hold; None if they are too few."""
    end = day.replace(day=1)
    content = monthly_content_of(lake, end)
    if content is None or content.first is None or content.first > month_after(end, -FEWEST_MONTHS):
        return None
    return (content.first, end), content


def _odd(known_days: Sequence[date], first: date, origin: date) -> tuple[date, ...]:
    """Days that an operator has named: models don't learn from them. Raises `DataError` if few are left."""
    odd = tuple(sorted({day for day in known_days if first <= day < origin}))
    left = (origin - first).days - len(odd)
    if odd and left < FEWEST_DAYS:
        raise DataError(
            f"forecast.known_days leaves {left} days before {origin}: a forecast needs {FEWEST_DAYS}; "
            "name fewer"
        )
    return odd


def _buckets(content: Content, spec: Spec, end: date) -> list[Bucket]:
    """Each measure's series, in as few buckets of equal size as `MOST_SERIES` allows; thin ones apart."""
    if content.first is None:
        return []
    quick = replace(spec, models=tuple(model for model in spec.models if model not in SLOW))
    least = FEW_PLAYS * (end - content.first).days
    thin = {place for place, plays in content.plays.items() if ALL not in place and plays < least}
    made = []
    for measure in sorted({name.partition(SEPARATOR)[0] for name in content.series}):
        mine = [name for name in content.series if name.partition(SEPARATOR)[0] == measure]
        few = [name for name in mine if place_of(name) in thin]
        for names, most, asked in (
            (sorted(set(mine) - set(few)), MOST_SERIES, spec),
            (few, MOST_THIN, quick),
        ):
            of_measure = _of_measure(asked, measure)
            made += [Bucket(spec.freq, measure, part, of_measure) for part in _parts(names, most)]
    return made


def _parts(names: Sequence[str], most: int) -> list[tuple[str, ...]]:
    count = -(-len(names) // most)
    edges = [len(names) * place // count for place in range(count + 1)] if count else []
    return [tuple(names[low:high]) for low, high in pairwise(edges)]


def _of_measure(spec: Spec, measure: str) -> Spec:
    known = BY_NAME.get(measure)
    is_count = known is not None and known.is_count
    joined = None if measure in NOT_BY_USERS else spec.joined
    return replace(spec, count=is_count, non_negative=True, joined=joined)


def _run(
    day: date,
    first: date,
    content: Content,
    monthly: Content | None,
    specs: Sequence[Spec],
    known: pl.DataFrame | None,
    odd: Sequence[date],
) -> str:
    asked = [
        [spec.freq, spec.horizon, spec.origins, spec.history, spec.model_seconds, spec.seed, spec.models]
        for spec in specs
    ]
    joined = specs[0].joined
    columns = None if known is None else [known.columns, known.cast({"day": pl.String}).rows()]
    told = None if joined is None else [joined.first, joined.counts]
    decisive = [
        FORMAT,
        f"{day}",
        f"{first}",
        content.digest,
        monthly and monthly.digest,
        asked,
        columns,
        told,
    ]
    decisive += [[f"{each}" for each in odd]] if odd else []
    return fingerprint_of(decisive, MEDIUM)

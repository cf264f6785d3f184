"""Tables of forecasts: what is counted a day, what is expected, how far off it was, what was out of order."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

_SERIES = "measure string, city string, group_id string"

# grain: measure, city, genre group (`all` where summed) and complete day; 0 where nothing happened
SERIES_DAILY = table(
    "series_daily",
    f"{_SERIES}, day date, value double, month date",
    keys=["measure", "city", "group_id", "day"],
    partition_by=["month"],
)

# grain: measure, city, genre group and complete month; stocks are those of its last day
SERIES_MONTHLY = table(
    "series_monthly",
    f"{_SERIES}, value double, month date",
    keys=["measure", "city", "group_id", "month"],
    partition_by=["month"],
)

# grain: month of `series_daily`; `inputs` is JSON of all that its rows depend on
SERIES_BUILDS = table("series_builds", "month date, inputs string, days int, series bigint", keys=["month"])

# grain: user and month of the first event or the first purchase, each null where it lies in another month;
# `city` as their events were counted
SERIES_USERS = table(
    "series_users",
    "user_id bigint, city string, first_day date, bought_day date, month date, user_bucket int",
    keys=["user_id", "month"],
    partition_by=["month", "user_bucket"],
)

# grain: track, in the month of the first event that names it, with what its events were counted by
SERIES_TRACKS = table(
    "series_tracks",
    "track_id string, duration_ms bigint, group_id string, daily_cost double, month date",
    keys=["track_id"],
    partition_by=["month"],
)

# grain: series, step (D or MS), origin (first day not seen) and day (or first of the month) foretold
FORECASTS = table(
    "forecasts",
    f"{_SERIES}, step string, origin date, day date, mean double, low_80 double, high_80 double, "
    "low_90 double, high_90 double, weights map<string,double>, run string",
    keys=["measure", "city", "group_id", "step", "origin", "day"],
    partition_by=["step", "origin"],
)

# grain: series, step, model (or `combined`), origin of the backtest and days (or months) ahead; `scaled`: the
# absolute error in the seasonal naive's own of the history; bounds of `combined` only, from the other origins
FORECAST_ERRORS = table(
    "forecast_errors",
    f"{_SERIES}, step string, model string, origin date, ahead int, day date, mean double, actual double, "
    "scaled double, run string, low_80 double, high_80 double, low_90 double, high_90 double",
    keys=["measure", "city", "group_id", "step", "model", "origin", "ahead"],
    partition_by=["step"],
)

# grain: series and complete day that was out of order, the one that stands for its place
FORECAST_ALARMS = table(
    "forecast_alarms",
    f"{_SERIES}, day date, actual double, expected double, p double, origin date, detail string",
    keys=["measure", "city", "group_id", "day"],
)

# grain: day that was checked, and against the forecast of which origin
FORECAST_CHECKS = table(
    "forecast_checks", "day date, origin date, series bigint, alarms bigint, inputs string", keys=["day"]
)

"""The two steps of a month that concern forecasts; nothing is done unless `monthly.forecast` is on."""

from __future__ import annotations

from pozytywka_spark.errors import require
from pozytywka_spark.orchestration.month_steps import Month, Result
from pozytywka_spark.orchestration.state import SKIPPED

OFF = Result("monthly.forecast is off", SKIPPED)


def check_month(work: Month) -> Result:
    """Days of the delivery beside what was foretold of them, before anybody trains on it: too few plays of
    the service on whole days say that a delivery may be incomplete. Alarms stop nothing.
    """
    if not work.settings.monthly.forecast:
        return OFF
    from pozytywka_spark.forecasting.check import check  # SciPy's distributions

    checked = check(work.settings, work.lake)
    if checked.unchanged:
        return Result("no day to check that a forecast reaches", SKIPPED)
    days = [str(day) for day in checked.incomplete]
    detail = f"{len(checked.days)} days checked, {len(checked.alarms)} alarms"
    if days:
        detail += f"; a delivery may be incomplete: far fewer plays than expected on {', '.join(days)}"
    return Result(detail, outcome={"alarms": len(checked.alarms), "incomplete": days})


def forecast_month(work: Month) -> Result:
    """Forecast from the month's end on, or from the day after the last complete one where that is earlier."""
    if not work.settings.monthly.forecast:
        return OFF
    require("forecasting")
    from pozytywka_spark.forecasting.forecast import forecast  # its libraries take seconds to load
    from pozytywka_spark.forecasting.inputs import FEWEST_DAYS
    from pozytywka_spark.forecasting.series import build_series

    built = build_series(work.settings, work.lake)
    origin = min(work.cut_off, built.end)
    if (origin - built.first).days < FEWEST_DAYS:
        return Result(f"fewer than {FEWEST_DAYS} complete days before {origin}", SKIPPED)
    report = forecast(work.spark, work.settings, work.lake, origin=origin).report
    what = f"{report.asked.series:,} series from {origin} on"
    return Result(f"{what}: made before" if report.unchanged else what)

"""Settings of forecasts."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from pozytywka_spark.config.base import Section, decides

FARTHEST_DAYS = 400


class Forecast(Section):
    """How far ahead, from how much, and what is worth an alarm."""

    section_decides = decides("forecast")

    horizon_days: int = Field(35, ge=1, le=FARTHEST_DAYS, description="days ahead of a daily forecast")
    horizon_months: int = Field(12, ge=1, le=60, description="months ahead, where there are 24 months")
    history_days: int = Field(730, ge=28, description="days before the origin that models see, at most")
    origins: int = Field(4, ge=1, le=20, description="of the backtest")
    false_alarms: float = Field(1.0, gt=0, description="expected a quarter, over all series")
    known_days: tuple[date, ...] = Field((), description="days that alarm nobody")
    known: str | None = Field(
        None, description="CSV or Parquet of columns known ahead: day and numbers, to the forecast's last day"
    )
    model_seconds: float = Field(20.0, gt=0, description="that one model of one series may take")

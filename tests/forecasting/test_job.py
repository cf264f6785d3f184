"""The forecast job as its user meets it, on few series: run, plan, check, report, table; refusals."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark import cli
from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.forecasting import check as check_module
from pozytywka_spark.forecasting import run as run_module
from pozytywka_spark.forecasting.series import Built
from pozytywka_spark.jobs.forecast import main
from pozytywka_spark.lake import open_lake
from pozytywka_spark.schemas import FORECAST_ALARMS
from tests.forecasting.made_series import FIRST, daily, put_daily

DAYS = 80
END = FIRST + timedelta(days=DAYS)  # 22 March
QUICK = ("forecast.origins=2",)


def job(settings: Settings, *words: str) -> tuple[int, str]:
    sets = [part for each in (f"home={settings.home}", *QUICK) for part in ("--set", each)]
    with cli.OUT.capture() as shown:
        code = main([*words, *sets])
    return code, shown.get()


def some(days: int, last: float = 1.0) -> pl.DataFrame:
    """Three measures; on the last day so many times as much."""
    rows = daily(days).filter(pl.col("measure").is_in(["plays", "adverts", "premium_users"]))
    on_last = (pl.col("day") == rows.get_column("day").max()) & (pl.col("measure") != "premium_users")
    return rows.with_columns(pl.when(on_last).then(pl.col("value") * last).otherwise("value").alias("value"))


def test_from_series_to_a_plan_and_an_alarm(
    spark: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = load_settings("local", [f"home={settings.home}", *QUICK])
    lake = open_lake(mine, spark)

    def series_until(days: int, last: float = 1.0) -> None:
        put_daily(lake, some(days, last))
        built = Built(FIRST, FIRST + timedelta(days=days), (), 9, "data")
        for module in (run_module, check_module):
            monkeypatch.setattr(module, "build_series", lambda *_, **__: built)

    series_until(DAYS)
    code, told = job(mine, "run")
    assert code == 0
    assert f"9 series from {END} on, 35 days; 315 rows of forecasts" in told
    page = Path(mine.home) / "reports" / "forecast.html"
    html = page.read_text(encoding="utf-8")
    for part in ("totals", "by-city", "errors", "coverage", "weights", "alarms", "plan"):
        assert f'id="{part}"' in html, part
    assert "plays by day" in html
    page.unlink()
    code, told = job(mine, "run")
    assert (code, "nothing to do" in told, page.exists()) == (0, True, False)

    code, told = job(mine, "plan", "--month", "2023-03")
    assert code == 0
    assert (
        "plan of 2023-03, from the forecast by days of 2023-03-22; 21 of the month's days are known" in told
    )
    assert [word in told for word in ("adverts", "premium_users", "revenue")] == [True, True, False]
    assert job(mine, "plan", "--month", "2023-04")[0] == 1
    assert job(mine, "plan", "--month", "2023-02")[0] == 2

    series_until(DAYS + 1)
    assert job(mine, "check")[0] == 0
    series_until(DAYS + 2, last=0.2)
    code, told = job(mine, "check")
    assert code == 4
    assert "a delivery may be incomplete: far fewer plays than expected on 2023-03-23" in told
    alarms = lake.rows(FORECAST_ALARMS.name).to_pylist()
    assert {(row["city"], row["measure"]) for row in alarms} == {("all", "plays")}
    assert job(mine, "check")[0] == 0, "the day was checked"
    code, told = job(mine, "report")
    assert code == 0
    assert "The days around each alarm" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["run"], 1, "ingest"),
        (["run", "--origin", "2023"], 2, "'2023': expected a day such as 2023-05-01"),
        (["run", "--horizon", "0"], 2, "'0': expected a whole number from 1 on"),
        (["plan"], 2, "the following arguments are required: --month"),
        (["plan", "--month", "2023-03"], 1, "no daily forecast in"),
        (["report"], 1, "make one with forecast run"),
    ],
)
def test_what_is_refused(
    spark: SparkSession,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    told: str,
) -> None:
    sets = ["--set", f"home={settings.home}"]
    try:
        ended = main([*words, *sets])
    except SystemExit as left:
        ended = int(str(left.code))
    assert ended == code
    assert told in capsys.readouterr().err


def test_a_table_needs_no_lake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = [f"{FIRST + timedelta(days=n)}" for n in range(40)]
    table = pl.DataFrame({"shop": ["a"] * 40, "on": days, "sold": [float(n % 7) for n in range(40)]})
    table.write_csv(tmp_path / "sales.csv")
    file = f"{tmp_path}/sales.csv"
    words = ["table", "--from", file, "--series", "shop", "--time", "on", "--value", "sold",
             "--freq", "D", "--season", "7", "--horizon", "5", "--out", f"{tmp_path}/out"]  # fmt: skip
    assert main(words) == 0
    made = pl.read_csv(tmp_path / "out" / "forecasts.csv")
    assert made.columns == ["series", "time", "mean", "low_80", "high_80", "low_90", "high_90"]
    assert made.height == 5
    capsys.readouterr()
    assert main([word if word != "shop" else "shops" for word in words]) == 2
    assert "no such column; it has shop, on, sold" in capsys.readouterr().err

"""Charts of the quality page, from the counts that a look at silver brings back; no Spark."""

from __future__ import annotations

from datetime import date

import pytest

from pozytywka_spark.ingest.quality.plots import months_chart, sessions_chart, track_charts, trend_chart
from pozytywka_spark.reports.charts import Bar

OUTCOMES = ("kept", "repaired", "duplicate", "quarantined")


def test_an_ingests_bars_stand_on_each_other_in_the_order_of_time() -> None:
    rows = [
        {"ingest": 9, "kept": 5, "repaired": 1, "duplicate": 0, "quarantined": 2},
        {"ingest": 7, "kept": 3, "repaired": 0, "duplicate": 4, "quarantined": 0},
        {"ingest": 9, "kept": 10, "repaired": 0, "duplicate": 0, "quarantined": 0},
    ]
    chart = trend_chart(rows, OUTCOMES)
    assert chart.x_ticks == ((0, "7"), (1, "9"))
    assert [(bar.low, bar.high) for bar in chart.bars] == [
        (0, 3), (3, 3), (3, 7), (7, 7), (0, 15), (15, 16), (16, 16), (16, 18)
    ]  # fmt: skip
    assert [word for word, _ in chart.legend] == list(OUTCOMES)
    assert [bar.colour for bar in chart.bars[:4]] == [colour for _, colour in chart.legend]


def test_shares_of_each_group_add_up_to_one() -> None:
    chart = sessions_chart({"premium": [(0.0, 3), (5.0, 1)], "others": [(10.0, 7)]})
    assert [word for word, _ in chart.legend] == ["others", "premium"]
    others, premium = (line.points for line in chart.lines)
    assert others == ((10.0, 1.0),)
    assert premium == ((0.0, 0.75), (5.0, 0.25))


def test_months_have_a_line_for_each_type_that_there_is() -> None:
    first, second = date(2023, 1, 1), date(2023, 2, 1)
    chart = months_chart({"BUY_PREMIUM": [(second, 4)], "PLAY": [(first, 100), (second, 90)]})
    assert [word for word, _ in chart.legend] == ["PLAY", "BUY_PREMIUM"]
    assert chart.lines[0].points == ((first.toordinal(), 100), (second.toordinal(), 90))
    assert chart.lines[1].points == ((second.toordinal(), 4),)


def test_tracks_have_a_histogram_for_each_axis() -> None:
    charts = track_charts({"tempo": [(120.0, 4)]})
    assert [(chart.x_label, len(chart.bars)) for chart in charts] == [
        ("popularity", 0), ("loudness, dB", 0), ("tempo, beats a minute", 1), ("duration, minutes", 0)
    ]  # fmt: skip
    assert charts[2].bars[0] == Bar(120.0, pytest.approx(129.5), 0, 4, charts[2].bars[0].colour)

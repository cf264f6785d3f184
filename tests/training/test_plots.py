"""The dossier's charts: what stands where, read from the drawn text; no plotting library is loaded."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from pozytywka_spark.dossier import plots, plots_reasons
from pozytywka_spark.reports.charts import Chart, draw

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [{"share": 0.5, "recall": 0.8, "precision": 0.4}, {"share": 1.0, "recall": 1.0, "precision": 0.25}]
MODELS = {
    name: {
        "curve": POINTS,
        "reliability": [{"predicted": 0.1, "observed": 0.2}, {"predicted": 0.4, "observed": 0.3}],
    }
    for name in ("majority", "logistic", "xgboost", "xgboost-uncalibrated")
}


def drawn(chart: Chart) -> ET.Element:
    return ET.fromstring(draw([chart]))


def words(svg: ET.Element) -> list[str]:
    return [element.text or "" for element in svg.iter(f"{SVG}text")]


def circles(svg: ET.Element, colour: str) -> list[tuple[float, float]]:
    found = svg.iter(f"{SVG}circle")
    return [(float(e.get("cx", "")), float(e.get("cy", ""))) for e in found if e.get("fill") == colour]


def boxes(svg: ET.Element, colour: str) -> list[tuple[float, float, float, float]]:
    paths = "".join(e.get("d", "") for e in svg.iter(f"{SVG}path") if e.get("fill") == colour)
    return [tuple(map(float, box)) for box in re.findall(r"M(\S+) (\S+)V(\S+)H(\S+)V\S+?z", paths)]  # type: ignore[misc]


def test_a_split_has_a_box_a_month_on_its_own_line() -> None:
    bars = {
        "split": {"train": ["2022-01", "2022-02"], "test": ["2022-04"]},
        "fold 1": {"train": ["2022-01"], "validation": ["2022-02"]},
    }
    svg = drawn(plots.split_chart(bars, ["2022-01", "2022-02", "2022-04"]))
    train = boxes(svg, "#2563a8")
    assert len(train) == 3
    assert train[0][1:3] == train[1][1:3] != train[2][1:3]
    assert train[0][0] == train[2][0] < train[1][0] < boxes(svg, "#1b7f4b")[0][0]
    assert {"split", "fold 1", "2022-04", "validation"} <= set(words(svg))


def test_curves_tell_what_their_axes_say() -> None:
    gain, lift = plots.gain_chart(MODELS), plots.lift_chart(MODELS)
    assert gain.lines[0].points == ((0.0, 0.0), (0.5, 0.8), (1.0, 1.0))
    assert lift.lines[0].points == ((0.5, 1.6), (1.0, 1.0))
    assert plots.precision_recall_chart(MODELS).lines[0].points == ((0.8, 0.4), (1.0, 0.25))
    assert [name for name, _ in gain.legend] == ["majority", "logistic", "xgboost"]
    reliable = plots.reliability_chart(MODELS, "logistic")
    assert [name for name, _ in reliable.legend] == ["xgboost-uncalibrated", "xgboost", "logistic"]
    assert reliable.lines[-1].points == ((0.0, 0.0), (0.4, 0.4))
    rows, buyers = plots.months_charts([{"month": "2022-01", "rows": 50, "positives": 10}])
    assert (rows.bars[0].high, buyers.lines[0].points[0][1]) == (50, 20.0)


def test_losses_fill_the_height_and_the_cut_is_marked() -> None:
    made = {"train_loss": [0.7, 0.5], "validation_loss": [0.7, 0.6], "trees": 1, "trees_tried": 2}
    svg = drawn(plots.loss_chart(made))
    assert "1 of 2 trees kept" in words(svg)
    assert "0.5" in words(svg)
    assert "0" in words(svg)  # the first tree
    assert plots.loss_chart(made).y_range == pytest.approx((0.49, 0.71))


def test_features_stand_by_strength_from_the_top_with_their_names() -> None:
    rows = [{"feature": "plays & likes", "strength": 2.0}, {"feature": "ads", "strength": 1.0}]
    svg = drawn(plots.importance_chart(rows))
    first, second = boxes(svg, "#2563a8")
    assert first[3] - first[0] == pytest.approx(2 * (second[3] - second[0]), abs=0.2)
    assert first[1] < second[1]
    assert {"plays & likes", "ads"} <= set(words(svg))


def test_dots_of_a_swarm_are_coloured_by_rank_and_lie_by_contribution() -> None:
    swarm = {"one": [[3.0, 0.5], [1.0, -0.5], [None, 0.0]], "same": [[1.0, 0.1], [1.0, 0.2]]}
    svg = drawn(plots_reasons.swarm_chart(swarm))
    ((hot, _),) = circles(svg, "#b40426")
    ((cold, _),) = circles(svg, "#3b4cc0")
    ((grey, _),) = circles(svg, "#999999")
    assert cold < grey < hot
    assert len(circles(svg, "#dddddd")) == 2
    assert plots_reasons.swarm_chart({}).dots == ()


def test_dependence_has_a_band_and_marks_the_missing() -> None:
    bins = [
        {"value": 1.0, "contribution": -0.1, "low": -0.2, "high": 0.0},
        {"value": 2.0, "contribution": 0.3, "low": 0.1, "high": 0.4},
        {"value": None, "contribution": 0.05, "low": 0.0, "high": 0.1},
    ]
    (chart,) = plots_reasons.dependence_charts({"ads": bins})
    assert chart.bands[0].points == ((1.0, -0.2, 0.0), (2.0, 0.1, 0.4))
    assert [(dot.x, dot.y, dot.hollow) for dot in chart.dots] == [(2.0, 0.05, True)]
    svg = drawn(chart)
    assert "ads" in words(svg)
    assert [path for path in svg.iter(f"{SVG}path") if path.get("fill-opacity")]
    (alone,) = plots_reasons.dependence_charts({"ads": [bins[2]]})
    assert draw([alone]).count("<circle") == 0


def test_a_study_shows_the_best_so_far_and_a_hopeless_trial_at_the_edge() -> None:
    trials = [
        {"trial": n, "state": "complete", "log_loss": loss, "parameters": {"depth": n}}
        for n, loss in enumerate([0.40, 0.39, 9.0, 0.38, 0.41, 0.385, 0.39, 0.4, 0.4, 0.4, 0.39])
    ]
    trials.append({"trial": 11, "state": "pruned", "log_loss": 0.42, "parameters": {}})
    chart = plots_reasons.study_chart(trials)
    assert [y for _, y in chart.lines[0].points] == [0.40, 0.39, 0.39, *[0.38] * 8]
    assert chart.y_range is not None
    assert chart.y_range[1] < 0.5
    assert max(dot.y for dot in chart.dots) == chart.y_range[1]
    assert [dot.hollow for dot in chart.dots].count(True) == 1
    (depth,) = plots_reasons.parameters_charts(trials)
    assert (depth.dots[-1].x, depth.dots[-1].y) == (3, 0.38)
    assert plots_reasons.parameters_charts([]) == []
    assert drawn(plots_reasons.study_chart([])) is not None


def test_a_spread_over_folds_is_a_line_and_the_model_a_dot() -> None:
    rows = [{"feature": "ads", "share": 0.5, "share_low": 0.4, "share_high": 0.6}]
    chart = plots_reasons.stability_chart(rows)
    assert chart.lines[0].points == ((0.4, 0), (0.6, 0))
    assert (chart.dots[0].x, chart.dots[0].y) == (0.5, 0)


def test_the_page_needs_no_plotting_library() -> None:
    code = "import sys, pozytywka_spark.dossier.page; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

"""The page of the feature store and its picture."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.featurestore import report
from pozytywka_spark.featurestore.page import Facts, ModelShown, lineage_of, render
from pozytywka_spark.featurestore.picture import Box, direct, draw_columns
from pozytywka_spark.featurestore.stage import materialize
from tests.featurestore.made_datasets import MONTHS, small_lake

COLUMN = {"name": "skip_rate", "unit": "share", "meaning": "skips a play"}
VIEW: dict[str, Any] = {
    "view": "user_month",
    "meaning": "all features <of a user>",
    "entity": "user",
    "table": "features",
    "kind": "event",
    "owner": "premium",
    "ttl_days": 62,
    "dtype": "float64",
    "columns": [COLUMN],
    "consumers": ["premium"],
}
SERVICE = {
    "service": "premium",
    "meaning": "what the champion reads",
    "owner": "premium",
    "entity": "user",
    "columns": ["user_month.skip_rate"],
    "catalogue_hash": "0123456789abcdef",
}
FRESH = {
    "view": "user_month",
    "state": "stale",
    "keys": 12_345,
    "bytes_a_key": 1140.0,
    "version": 3,
    "table_version": 5,
    "newest": "2023-02-01 00:00",
    "age_days": 90.5,
    "fresh_days": 62,
    "lag": 2,
    "many_gb": 57.0,
}
FACTS = Facts(
    {"store": "lmdb:/x", "reason": "", "views": [VIEW], "services": [SERVICE]},
    [FRESH],
    [
        ModelShown("premium", 7, "champion", "boosted trees", 115, "premium"),
        ModelShown("premium", 8, "challenger", "boosted trees", 99, "", "service premium: another order"),
    ],
    {"features": ("events",)},
    {"features": 5},
    3,
)


def test_the_page_tells_all_of_it() -> None:
    html = render(FACTS)
    assert html == render(FACTS)
    for text in (
        "12,345",
        "2023-02-01 00:00",
        "90.5",
        "user_month.skip_rate",
        "0123456789ab",
        "premium version 7",
        "no service",
        "service premium: another order",
        "all features &lt;of a user&gt;",
        "skips a play",
        'id="lineage"',
        "57",
    ):
        assert text in html, text
    assert "Nothing is stored" not in html


def test_a_store_that_is_not_there_is_told_of() -> None:
    listed = {**FACTS.listed, "reason": "no online store: materialize first"}
    html = render(replace(FACTS, listed=listed, fresh=[], models=[]))
    assert "Nothing is stored: no online store: materialize first" in html
    assert "No model is champion or challenger." in html


def test_lineage_goes_from_ingest_to_models() -> None:
    columns, lines = lineage_of(FACTS)
    assert {heading: [box.title for box in boxes] for heading, boxes in columns.items()} == {
        "ingest": ["ingest"],
        "tables of ingest": ["events"],
        "made of them, step 1": ["features"],
        "views": ["user_month"],
        "services": ["premium"],
        "models": ["premium 7", "premium 8"],
    }
    assert lines == [
        ("table events", "table features"),
        ("ingest", "table events"),
        ("table features", "view user_month"),
        ("view user_month", "service premium"),
        ("service premium", "model 7"),
    ]


def test_lines_that_follow_from_others_are_left_out() -> None:
    lines = [("a", "b"), ("a", "d"), ("b", "c"), ("c", "d"), ("a", "b"), ("a", "c"), ("e", "d")]
    assert direct(lines) == [("a", "b"), ("b", "c"), ("c", "d"), ("e", "d")]


def test_a_picture_has_each_box_and_a_line_a_column() -> None:
    columns = {
        "first": [Box("a", "A&B"), Box("x", "X")],
        "second": [Box("b", "B" * 40)],
        "third": [Box("c", "C")],
    }
    svg = draw_columns(columns, [("a", "b"), ("x", "c"), ("a", "nowhere")])
    root = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    texts = [each.text for each in root.iter(f"{name}text")]
    assert texts == ["first", "A&B", "X", "second", f"{'B' * 23}…", "third", "C"]
    paths = [each.attrib["d"] for each in root.iter(f"{name}path")]
    assert len(paths) == 3
    assert sum(path.endswith("h168") for path in paths) == 1  # straight on through the second column
    # what passes through a column has a place of its own there
    boxes = [float(each.attrib["y"]) for each in root.iter(f"{name}rect") if "y" in each.attrib]
    passing = next(path for path in paths if path.endswith("h168"))
    assert float(re.findall(r"[\d.]+", passing)[-2]) - 20 not in boxes[2:3]
    assert draw_columns({}, []).startswith("<svg")


def test_the_page_of_a_lake(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "connect", lambda settings: None)
    monkeypatch.setattr(report, "aliased", lambda tracking, alias: None)
    monkeypatch.setattr("pozytywka_spark.featurestore.lake_side.champion_of", lambda settings: None)
    small = small_lake(spark, tmp_path)
    small.put_features({each: range(3) for each in MONTHS[:2]})
    place = report.report(small.settings, small.lake)
    assert "Nothing is stored: no online store in" in place.read_text()
    materialize(small.settings, small.lake, views=["user_month"])
    html = report.report(small.settings, small.lake).read_text()
    assert place == tmp_path / "reports" / "featurestore.html"
    assert "Nothing is stored" not in html
    assert re.search(r"user_month</td>\s*<td[^>]*>fresh", html)
    pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', html)
    assert b">features<" in base64.b64decode(pictures[0])

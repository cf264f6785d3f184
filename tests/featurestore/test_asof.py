"""The as-of kernel, beside an oracle that looks at everything."""

from __future__ import annotations

import polars as pl
from polars.testing import assert_frame_equal

from pozytywka_spark.featurestore.asof import newest_by, twice_known

KNOWN = pl.DataFrame(
    {
        "key": ["a", "a", "b"],
        "known_at": [100, 200, 150],
        "value": [1.0, None, 3.0],
    }
)


def test_the_newest_row_by_then_answers() -> None:
    table = pl.DataFrame(
        [
            (0, "a", 99, None, "missing", None),
            (1, "a", 100, 100, "present", 1.0),
            (2, "a", 149, 100, "present", 1.0),
            (3, "a", 150, 100, "expired", 1.0),
            (4, "a", 199, 100, "expired", 1.0),
            (5, "a", 200, 200, "present", None),  # a value that is null is there all the same
            (6, "a", 250, 200, "expired", None),
            (7, "b", 149, None, "missing", None),
            (8, "b", 150, 150, "present", 3.0),
            (9, "c", 999, None, "missing", None),
            (10, None, 999, None, "missing", None),
            (11, "a", 100, 100, "present", 1.0),  # asked twice
        ],
        schema=["row", "key", "as_of", "known_at", "status", "value"],
        orient="row",
    )
    asked = table.select("row", "key", "as_of").sample(fraction=1.0, shuffle=True, seed=3)
    expected = table.select("row", "key", "known_at", "status", "value")
    assert_frame_equal(newest_by(asked, KNOWN, ttl=50), expected)
    assert_frame_equal(newest_by(asked, KNOWN.reverse(), ttl=50), expected)


def test_without_a_ttl_nothing_expires() -> None:
    asked = pl.DataFrame({"row": [0, 1], "key": ["a", "a"], "as_of": [99, 10**18]})
    assert newest_by(asked, KNOWN, ttl=None)["status"].to_list() == ["missing", "present"]


def test_nothing_known_or_nothing_asked() -> None:
    asked = pl.DataFrame({"row": [0], "key": ["a"], "as_of": [99]})
    assert newest_by(asked, KNOWN.clear(), ttl=50)["status"].to_list() == ["missing"]
    assert newest_by(asked.clear(), KNOWN, ttl=50).height == 0


def test_rows_of_one_key_and_moment_are_told() -> None:
    assert twice_known(KNOWN).height == 0
    doubled = pl.concat([KNOWN, KNOWN.slice(1, 1)])
    assert twice_known(doubled).rows() == [("a", 200)]

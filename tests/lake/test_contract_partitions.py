"""What every engine promises of partitions; tests/lake/test_contract.py has the rest."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from pozytywka_spark.errors import LakeError
from pozytywka_spark.schemas import table

if TYPE_CHECKING:
    from lake.conftest import Bench

BY_CITY_DDL = "k bigint, v string, city string"
BY_CITY = table("by_city", BY_CITY_DDL, keys=["k"], partition_by=["city"])
BY_MONTH_DDL = "k bigint, month date, free boolean"
BY_MONTH = table("by_month", BY_MONTH_DDL, keys=["k"], partition_by=["month", "free"])
JANUARY, FEBRUARY = date(2022, 1, 1), date(2022, 2, 1)

ODD_VALUES = [
    "a b",
    "a/b",
    "żółć",
    "100%",
    "%2F",
    "x:y",
    "a=b",
    "it's",
    "back\\slash",
    "[0]*?{1}",
    "007",
    "1e3",
    '"q"',
    "né+é",
]


def test_odd_partition_values_come_back_as_they_were(bench: Bench) -> None:
    rows = [(number, "v", value) for number, value in enumerate([*ODD_VALUES, None])]
    bench.lake.append(bench.frame(rows, BY_CITY_DDL), BY_CITY)
    bench.assert_rows(bench.lake.read("by_city"), rows, BY_CITY_DDL)
    for number, value in ((1, "a/b"), (3, "100%"), (4, "%2F"), (5, "x:y"), (len(ODD_VALUES), None)):
        found = bench.lake.read("by_city", partitions=[{"city": value}])
        bench.assert_rows(found, [(number, "v", value)], BY_CITY_DDL)


def test_odd_partition_values_are_replaced_one_by_one(bench: Bench) -> None:
    rows = [(number, "old", value) for number, value in enumerate([*ODD_VALUES, None])]
    bench.lake.append(bench.rows(rows, BY_CITY_DDL), BY_CITY)
    replaced = ["it's", "back\\slash", "%2F", None]
    fresh = [(number, "new", value) for number, _, value in rows if value in replaced]
    bench.lake.replace_partitions(
        bench.frame(fresh, BY_CITY_DDL), BY_CITY, [{"city": value} for value in replaced]
    )
    kept = [row for row in rows if row[2] not in replaced]
    bench.assert_holds("by_city", kept + fresh, BY_CITY_DDL)


def test_an_empty_string_is_null_in_a_partition_column(on_disk: Bench) -> None:
    """Delta's protocol has no empty partition value; nobody's engine keeps one."""
    on_disk.lake.append(on_disk.frame([(1, "", "")], BY_CITY_DDL), BY_CITY)
    on_disk.assert_holds("by_city", [(1, "", None)], BY_CITY_DDL)
    on_disk.lake.replace_partitions(on_disk.frame([(2, "", "")], BY_CITY_DDL), BY_CITY, [{"city": ""}])
    on_disk.assert_rows(
        on_disk.lake.read("by_city", partitions=[{"city": None}]), [(2, "", None)], BY_CITY_DDL
    )


def test_replace_partitions_touches_only_what_it_names(bench: Bench) -> None:
    lake = bench.lake
    before = [(1, JANUARY, True), (2, JANUARY, False), (3, FEBRUARY, True), (4, None, None)]
    lake.append(bench.rows(before, BY_MONTH_DDL), BY_MONTH)
    lake.replace_partitions(
        bench.frame([(5, JANUARY, True)], BY_MONTH_DDL),
        BY_MONTH,
        [{"month": JANUARY, "free": True}, {"month": None, "free": None}],
    )
    after = [(5, JANUARY, True), (2, JANUARY, False), (3, FEBRUARY, True)]
    bench.assert_holds("by_month", after, BY_MONTH_DDL)

    # a partition may be named by some of its columns; one that gets no rows becomes empty
    lake.replace_partitions(bench.frame([], BY_MONTH_DDL), BY_MONTH, [{"month": JANUARY}])
    bench.assert_holds("by_month", [(3, FEBRUARY, True)], BY_MONTH_DDL)
    bench.assert_rows(lake.read("by_month", version=1), after, BY_MONTH_DDL)


def test_files_are_the_latest_version_s_with_their_partitions(bench: Bench) -> None:
    lake = bench.lake
    lake.append(bench.rows([(1, JANUARY, True), (2, FEBRUARY, True)], BY_MONTH_DDL), BY_MONTH)
    before = lake.files("by_month")
    lake.replace_partitions(bench.frame([(3, JANUARY, True)], BY_MONTH_DDL), BY_MONTH, [{"month": JANUARY}])
    after = lake.files("by_month")
    for files in (before, after):
        folders = sorted("/".join(file.split("/")[-3:-1]) for file in files)
        assert folders == ["month=2022-01-01/free=true", "month=2022-02-01/free=true"]
    assert len(set(before) & set(after)) == 1


def test_replace_partitions_refuses_rows_outside(bench: Bench) -> None:
    bench.lake.append(bench.rows([(1, JANUARY, True)], BY_MONTH_DDL), BY_MONTH)
    stray = bench.frame([(2, JANUARY, True), (3, FEBRUARY, True)], BY_MONTH_DDL)
    with pytest.raises(LakeError, match=r"^table by_month: a row lies .*outside month=2022-01-01$"):
        bench.lake.replace_partitions(stray, BY_MONTH, [{"month": JANUARY}])
    bench.assert_holds("by_month", [(1, JANUARY, True)], BY_MONTH_DDL)


def test_replace_partitions_creates_the_table(on_disk: Bench) -> None:
    rows = [(1, JANUARY, True)]
    assert (
        on_disk.lake.replace_partitions(on_disk.frame(rows, BY_MONTH_DDL), BY_MONTH, [{"month": JANUARY}])
        == 0
    )
    on_disk.assert_holds("by_month", rows, BY_MONTH_DDL)


@pytest.mark.parametrize(
    ("partitions", "message"),
    [
        ([], "told no partition"),
        ([{}], "would be the whole table"),
        ([{"k": 1}], "k is no partition column; it is partitioned by month, free"),
        ([{"month": "2022-01-01"}], "expected a date, got a str"),
        ([{"month": datetime(2022, 1, 1)}], "expected a date, got a datetime"),
        ([{"free": 1}], "expected a boolean, got a int"),
    ],
)
def test_partitions_that_can_not_be_meant(
    on_disk: Bench, partitions: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(LakeError, match=message):
        on_disk.lake.replace_partitions(on_disk.frame([], BY_MONTH_DDL), BY_MONTH, partitions)

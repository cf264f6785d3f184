"""Catalogue entities: the latest row of a key wins, unless the table says the same already."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.ingest.outcomes import summed
from pozytywka_spark.ingest.parcels import LEFT, RESCUED, ROWS, SOURCE
from pozytywka_spark.ingest.resolve.new_rows import NewRows, RowSlice
from pozytywka_spark.schemas import TRACK_STORAGE, USERS
from tests.in_memory import MemoryFiles

_DAY = datetime(2023, 1, 1, tzinfo=UTC)
# files of a batch: when modified, path
SOURCES = ((_DAY, "/d/b"), (_DAY + timedelta(days=1), "/d/a"), (_DAY, "/d/c"))
_USER = {"user_id": pl.Int64, "city": pl.String, "favourite_genres": pl.List(pl.String),
         "premium_user": pl.Boolean}  # fmt: skip
_STORAGE = {"track_id": pl.String, "storage_class": pl.String, "daily_cost": pl.Float64}
_MORE = {"rescued": pl.String, "line_id": pl.String, **SOURCE}


def user(key, city="Radom", genres=("folk", "rock"), premium=True, **more):
    told = {
        "user_id": key,
        "city": city,
        "favourite_genres": genres and list(genres),
        "premium_user": premium,
    }
    return told | {"source": 0, "source_order": 0} | more


def storage(key, cost=1.5, **more):
    return {
        "track_id": key,
        "storage_class": "SLOW",
        "daily_cost": cost,
        "source": 0,
        "source_order": 0,
    } | more


def resolve(parcels, held=(), *, table=USERS, parts=1, **how):
    files, columns = MemoryFiles(), _USER if table is USERS else _STORAGE
    put = tuple(files.put(ROWS, pl.DataFrame(rows, {**columns, **_MORE})) for rows in parcels)
    there = tuple(files.put_file(pl.DataFrame(rows, columns), {}) for rows in held)
    slices = [RowSlice(put, there, part, parts) for part in range(parts)]
    told = summed(NewRows(table, SOURCES, **how)(slices, files))
    rows = [row for *_, frame in files.written for row in frame.rows(named=True)]
    return files, rows, {(row["outcome"], row["reason"]): row["rows"] for row in told}


def held(row):
    return {name: row.get(name) for name in (*_USER, *_STORAGE) if name in row}


@pytest.mark.parametrize(
    "places",
    [
        ((0, 9), (1, 1)),  # a later file
        ((0, 9), (2, 1)),  # of the same time, by its path
        ((0, 3), (0, 20)),  # further down
    ],
)
def test_the_latest_row_of_a_key_is_kept(places) -> None:
    rows = [
        user(1, city, source=source, source_order=order)
        for city, (source, order) in zip(("first", "last"), places, strict=True)
    ]
    for parcels in ([rows], [rows[::-1]], [rows[1:], rows[:1]]):
        _, kept, counts = resolve(parcels)
        assert [row["city"] for row in kept] == ["last"]
        assert counts == {("kept", None): 1, ("duplicate", "older_row"): 1}


def test_a_row_as_the_table_has_it_already_is_a_duplicate() -> None:
    there = [user(1), user(2, None, None, None), user(3, genres=())]
    _, kept, counts = resolve([there, [user(4)]], [[held(row) for row in there]])
    assert [row["user_id"] for row in kept] == [4]
    assert counts == {("kept", None): 1, ("duplicate", "same_row"): 3}
    cost = [storage("a"), storage("b", None), storage("c", float("nan"))]
    _, kept, counts = resolve([cost], [[held(row) for row in cost]], table=TRACK_STORAGE)
    assert (kept, counts) == ([], {("duplicate", "same_row"): 3})


@pytest.mark.parametrize(
    "other",
    [{"city": "Wyszków"}, {"city": None}, {"favourite_genres": ["rock", "folk"]}, {"favourite_genres": []},
     {"favourite_genres": None}, {"premium_user": False}, {"premium_user": None}],
)  # fmt: skip
def test_a_row_that_says_something_else_replaces_the_held_one(other) -> None:
    """But for one that comes back from quarantine: it is older."""
    rows, there = [[user(1) | other, user(2)]], [[held(user(1))]]
    _, kept, counts = resolve(rows, there)
    assert kept == [held(user(1) | other), held(user(2))]
    assert counts == {("kept", None): 2}
    _, kept, counts = resolve(rows, there, replaces=False)
    assert kept == [held(user(2))]
    assert counts == {("kept", None): 1, ("duplicate", "older_row"): 1}


def test_older_rows_are_such_even_if_they_say_what_is_held() -> None:
    _, kept, counts = resolve([[user(1), user(1, "new", source_order=1)]], [[held(user(1))]])
    assert [row["city"] for row in kept] == ["new"]
    assert counts == {("kept", None): 1, ("duplicate", "older_row"): 1}


def test_fields_that_the_contract_does_not_know_and_rows_that_come_back() -> None:
    rows = [
        user(1, rescued='{"a":1}', source=1, line_id="q1"),
        user(1, rescued='{"a":2}', line_id="q2"),
        user(2, rescued='{"a":3}', line_id="q3"),
        user(3),
    ]
    files, _, _ = resolve([rows], [[held(user(2))]])
    assert files.staged(RESCUED)[()].rows() == [("1", '{"a":1}', 1)]
    assert sorted(files.staged(LEFT)[()].get_column("line_id")) == ["q1", "q2", "q3"]


_ROWS = st.lists(
    st.builds(
        lambda key, cost, source, order: storage(key, cost, source=source, source_order=order),
        st.sampled_from("abcdef"), st.sampled_from([1.0, 2.0, None]), st.integers(0, 2), st.integers(0, 99),
    ),
    min_size=1,
    unique_by=lambda row: (row["source"], row["source_order"]),
)  # fmt: skip


@pytest.mark.thorough
@settings(max_examples=40)
@given(_ROWS, st.dictionaries(st.sampled_from("abcxyz"), st.sampled_from([1.0, None])), st.booleans())
def test_slices_of_keys_together_are_the_whole(rows, there, replaces) -> None:
    """Against a plain loop over the rows in the order of delivery."""
    last = {}
    for row in sorted(rows, key=lambda row: (*SOURCES[row["source"]], row["source_order"])):
        last[row["track_id"]] = row["daily_cost"]
    same = {key for key, cost in last.items() if key in there and there[key] == cost}
    stays = set() if replaces else (last.keys() & there.keys()) - same
    new = {key: cost for key, cost in last.items() if key not in same | stays}
    expected = {("kept", None): len(new), ("duplicate", "same_row"): len(same),
                ("duplicate", "older_row"): len(rows) - len(new) - len(same)}  # fmt: skip
    quarantine = [[held(storage(key, cost)) for key, cost in there.items()]] if there else []
    for parts in (1, 3):
        _, kept, counts = resolve([rows], quarantine, table=TRACK_STORAGE, parts=parts, replaces=replaces)
        assert {row["track_id"]: row["daily_cost"] for row in kept} == new
        assert len(kept) == len(new)
        assert counts == {fate: many for fate, many in expected.items() if many}

"""How often artists have genres together, against counting by hand."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.topics.counts import (
    MOST_GENRES,
    NOTHING_COUNTED,
    PAIRS,
    USES,
    GenreCounts,
    added,
    count_genres,
    count_in_tasks,
)
from tests.in_memory import MemoryFiles

SCHEMA = {"id": pl.String, "genres": pl.List(pl.String)}
GENRES = st.lists(
    st.one_of(st.none(), st.sampled_from(["a", "b", "c d", "ż", "", " \t", "🎵", "A"])), max_size=8
)
CATALOGUES = st.lists(st.one_of(st.none(), GENRES), max_size=12)


def artists(*genres: list[str | None] | None) -> pl.DataFrame:
    return pl.DataFrame({"id": list(map(str, range(len(genres)))), "genres": list(genres)}, SCHEMA)


def plain(counted: GenreCounts) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    pairs = {(one, other): n for one, other, n in counted.pairs.iter_rows()}
    return dict(counted.uses.iter_rows()), pairs


def test_the_whole_of_a_small_catalogue() -> None:
    found = count_genres(
        artists(["rock", "pop"], ["pop", "rock", "pop"], ["jazz"], None, [], [None, "", "  "])
    )
    assert found.uses.rows() == [("jazz", 1), ("pop", 2), ("rock", 2)]
    assert found.pairs.rows() == [("pop", "rock", 2)]


@pytest.mark.thorough
@given(CATALOGUES)
def test_as_counted_by_hand(catalogue: list[list[str | None] | None]) -> None:
    uses: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for genres in catalogue:
        held = sorted({genre for genre in genres or () if genre and genre.strip()})
        uses.update(held)
        pairs.update(combinations(held, 2))
    assert plain(count_genres(artists(*catalogue))) == (dict(uses), dict(pairs))


@pytest.mark.thorough
@given(CATALOGUES, CATALOGUES)
def test_parts_add_up_in_any_order(
    one: list[list[str | None] | None], other: list[list[str | None] | None]
) -> None:
    whole = count_genres(artists(*one, *other))
    parts = count_genres(artists(*one)), count_genres(artists(*other))
    assert plain(added(*parts)) == plain(added(*reversed(parts))) == plain(whole)
    assert added(*parts).digest == count_genres(artists(*other, *one)).digest


def test_who_has_everything_says_nothing_of_what_belongs_together() -> None:
    many = [f"genre {number:03}" for number in range(MOST_GENRES + 1)]
    found = count_genres(artists(many, many[:2]))
    assert found.uses.height == len(many)
    assert found.pairs.rows() == [("genre 000", "genre 001", 1)]


def test_tasks_stage_the_counts_of_all_their_files() -> None:
    files = MemoryFiles()
    held = [files.put_file(artists(["a", "b"]), {}), files.put_file(artists(["b", "a"], ["c"]), {})]
    assert [line["artists"] for line in count_in_tasks(held, files)] == [3]
    staged = {parcel.kind: files.read([parcel]) for parcel in files.parcels}
    assert staged[USES].rows() == [("a", 2), ("b", 2), ("c", 1)]
    assert staged[PAIRS].rows() == [("a", "b", 2)]
    assert list(count_in_tasks([], MemoryFiles())) == []
    assert plain(NOTHING_COUNTED) == ({}, {})

"""Communities, what becomes of small ones and strays, and that a fit comes out the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from pozytywka_spark.topics.communities import UNKNOWN, Graph, Search, communities
from pozytywka_spark.topics.counts import GenreCounts, count_genres
from pozytywka_spark.topics.fit import How, fit_groups, graph_of, without_small
from pozytywka_spark.topics.neighbours import NONE, attached, company
from tests.topics.made import FAMILIES, SCHEMA, STRAY, artists, family_of

SEARCH = Search(1.0, 10, 7)
HOW = How(SEARCH, 0.02, 0.005, 0.5)


def graph(nodes: int, *edges: tuple[int, int, int]) -> Graph:
    table = np.array(edges, np.int64).reshape(-1, 3)
    return Graph(nodes, table[:, :2], table[:, 2])


TWO = graph(7, (0, 1, 9), (1, 2, 9), (0, 2, 9), (2, 3, 1), (3, 4, 9), (4, 5, 9), (3, 5, 9))


@pytest.mark.thorough
def test_two_triangles_and_who_stands_alone() -> None:
    assert communities(TWO, SEARCH).tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert communities(graph(3), SEARCH).tolist() == [0, 1, 2]


def test_before_has_a_say_where_it_is_as_good_either_way() -> None:
    # a node between two triangles: with either it is the same
    even = graph(
        7,
        (0, 1, 9),
        (1, 2, 9),
        (0, 2, 9),
        (3, 4, 9),
        (4, 5, 9),
        (3, 5, 9),
        (6, 0, 5),
        (6, 1, 5),
        (6, 3, 5),
        (6, 4, 5),
    )
    for before in ([0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1]):
        found = communities(even, SEARCH, np.array(before))
        assert (found == np.array(before)).all()
    # who is new goes where it is better
    assert communities(TWO, SEARCH, np.array([5, 5, UNKNOWN, 2, 2, 2, UNKNOWN])).tolist() == [
        0,
        0,
        0,
        1,
        1,
        1,
        2,
    ]


def test_who_has_no_label_goes_where_most_of_its_weight_is_near_ones_first() -> None:
    chain = graph(6, (0, 1, 1), (1, 2, 1), (2, 3, 3), (3, 4, 2), (1, 4, 1))
    labels = attached(chain, np.array([7, NONE, NONE, 4, NONE, NONE]))
    assert labels.tolist() == [7, 7, 4, 4, 4, NONE]
    shares = company(chain, labels)
    assert shares[:5].tolist() == [1.0, 1 / 3, 3 / 4, 1.0, 2 / 3]
    assert np.isnan(shares[5])


def test_labels_with_too_few_uses_are_dissolved() -> None:
    labels, uses = np.array([0, 0, 1, 2]), np.array([4, 5, 1, 90])
    assert without_small(labels, uses, 0.05).tolist() == [0, 0, NONE, 2]


def test_families_are_found_and_strays_told_by_their_words_or_by_nothing() -> None:
    rows = fit_groups(count_genres(artists()), HOW)
    of = {row["genre"]: row for row in rows.to_dicts()}
    groups = {family: {of[genre]["group"] for genre in genres} for family, genres in FAMILIES.items()}
    assert all(len(found) == 1 for found in groups.values())
    assert len(set.union(*groups.values())) == len(FAMILIES)
    assert {of[genre]["assigned_by"] for genres in FAMILIES.values() for genre in genres} == {"community"}
    metal = of["nordic metal"]
    assert (metal["group"], metal["assigned_by"]) == (of["metal"]["group"], "words")
    assert 0.5 <= metal["confidence"] < 1
    assert (of["quiet hum"]["group"], of["quiet hum"]["subgroup"]) == (NONE, NONE)
    assert (of["quiet hum"]["assigned_by"], of["quiet hum"]["confidence"]) == ("other", 0)
    # a subgroup lies in one group
    assert rows.group_by("subgroup").agg(pl.col("group").n_unique()).get_column("group").max() == 1
    assert (
        rows.get_column("artists").to_list() == count_genres(artists()).uses.get_column("artists").to_list()
    )


def test_the_same_counts_give_the_same_fit_whatever_the_order_of_artists() -> None:
    one = fit_groups(count_genres(artists()), HOW)
    other = fit_groups(count_genres(artists().sample(fraction=1, shuffle=True, seed=3)), HOW)
    assert one.equals(other)


ODD: dict[str, list[list[str | None] | None]] = {
    "one genre": [["a"], ["a"]],
    "none but blanks": [["a"], [None, ""], None, []],
    "unicode": [["ザ", "音楽"], ["🎵", "ß"], ["\u202ertl", "é", "e\u0301"]],
    "one artist with two": [["a", "b"]],
    "long names": [["x" * 10_000, "y"], ["y"]],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_catalogues_have_an_answer(name: str) -> None:
    frame = pl.DataFrame({"id": [str(n) for n in range(len(ODD[name]))], "genres": ODD[name]}, SCHEMA)
    rows = fit_groups(count_genres(frame), HOW)
    assert rows.height == count_genres(frame).uses.height
    assert rows.get_column("confidence").is_between(0, 1).all()


@pytest.mark.thorough
def test_a_hundred_thousand_genres_that_stand_alone_are_others() -> None:
    uses = pl.DataFrame({"genre": [f"genre{n:06}" for n in range(100_000)], "artists": [1] * 100_000})
    nothing = pl.DataFrame(schema={"one": pl.String, "other": pl.String, "artists": pl.Int64})
    rows = fit_groups(GenreCounts(uses.sort("genre"), nothing), HOW)
    assert rows.get_column("assigned_by").unique().to_list() == ["other"]


def test_the_graph_has_the_pairs_of_the_counts() -> None:
    counted = count_genres(artists(each=20))
    found: Any = graph_of(counted)
    names = counted.uses.get_column("genre").to_list()
    pairs = [(names[a], names[b], int(w)) for (a, b), w in zip(found.edges, found.weights, strict=True)]
    assert pairs == counted.pairs.rows()
    assert all(family_of(genre) or genre in STRAY for genre in names)

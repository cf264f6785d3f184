"""Groups and subgroups of genres, from counts of artists alone: communities, but for small ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_spark.topics.by_words import learn_words
from pozytywka_spark.topics.communities import UNKNOWN, Floats, Graph, Ints, Search, communities
from pozytywka_spark.topics.counts import GenreCounts
from pozytywka_spark.topics.neighbours import NONE, attached, company

COMMUNITY, NEIGHBOURS, WORDS, OVERRIDE, OTHER = "community", "neighbours", "words", "override", "other"


@dataclass(frozen=True)
class How:
    """How to fit: the search, and which share of all uses a group, and a subgroup, has at least; how likely
    a group must be for a genre to be put there by its words.
    """

    search: Search
    smallest: float
    smallest_subgroup: float
    words_confidence: float


def graph_of(counts: GenreCounts) -> Graph:
    """Genres in the order of `counts.uses`, linked by the artists that have both."""
    number = (
        counts.uses.select("genre").with_row_index("number").select("genre", pl.col("number").cast(pl.Int64))
    )
    pairs = counts.pairs.join(number, left_on="one", right_on="genre", maintain_order="left").join(
        number, left_on="other", right_on="genre", suffix="_other", maintain_order="left"
    )
    edges = pairs.select("number", "number_other").to_numpy().astype(np.int64).reshape(-1, 2)
    return Graph(counts.uses.height, edges, pairs.get_column("artists").to_numpy())


def fit_groups(counts: GenreCounts, how: How, before: Mapping[str, str] | None = None) -> pl.DataFrame:
    """A row a genre, by genre: `genre`, `artists`, `group` and `subgroup` (numbers; `NONE` where it belongs
    nowhere; a subgroup's is its own among all groups'), `assigned_by`, `confidence`.

    Of a community or neighbours the confidence is the share of its company that is of its group; of words
    how likely the group is by them. `before`: the groups of genres as they were, to begin with.
    """
    graph = graph_of(counts)
    genres = counts.uses.get_column("genre").to_list()
    uses = counts.uses.get_column("artists").to_numpy()
    found = communities(graph, how.search, _start(genres, before))
    large = without_small(found, uses, how.smallest)
    near = attached(graph, large)
    groups, sure = by_words(genres, near, how.words_confidence)
    subgroups = _subgroups(graph, genres, uses, groups, how)
    known = near != NONE
    confidence = np.where(known, company(graph, near), sure)
    by = np.select([large != NONE, known, groups != NONE], [COMMUNITY, NEIGHBOURS, WORDS], OTHER)
    return counts.uses.with_columns(
        group=pl.Series(groups),
        subgroup=pl.Series(subgroups),
        assigned_by=pl.Series(by.tolist(), dtype=pl.String),
        confidence=pl.Series(confidence).fill_nan(1.0),
    )


def without_small(labels: Ints, uses: Ints, smallest: float) -> Ints:
    """`labels`, but `NONE` where all of a label together have less than this share of the uses."""
    of_label = np.bincount(labels, uses)
    return np.where((of_label >= smallest * uses.sum())[labels], labels, NONE)


def _start(genres: list[str], before: Mapping[str, str] | None) -> Ints | None:
    """The groups before as numbers."""
    if before is None:
        return None
    number = {group: place for place, group in enumerate(sorted(set(before.values())))}
    return np.array([number[before[genre]] if genre in before else UNKNOWN for genre in genres], np.int64)


def by_words(genres: list[str], labels: Ints, confidence: float) -> tuple[Ints, Floats]:
    """`labels` with those that words give to who has none, and how sure each is of it."""
    words = learn_words(
        {genre: str(label) for genre, label in zip(genres, labels, strict=True) if label != NONE}
    )
    labels, sure = labels.copy(), np.zeros(len(labels))
    for place in np.flatnonzero(labels == NONE):
        said = words.group_of(genres[place])
        if said and said[1] >= confidence:
            labels[place], sure[place] = int(said[0]), said[1]
    return labels, sure


def _subgroups(graph: Graph, genres: list[str], uses: Ints, groups: Ints, how: How) -> Ints:
    """The subgroup of each genre that has a group, numbered through all groups."""
    found = np.full(len(groups), NONE, np.int64)
    number = 0
    for group in np.unique(groups[groups != NONE]):
        members = np.flatnonzero(groups == group)
        labels = _within(graph.part(members), [genres[n] for n in members], uses[members], uses.sum(), how)
        found[members] = number + labels
        number += labels.max() + 1
    return found


def _within(graph: Graph, genres: list[str], uses: Ints, all_uses: int, how: How) -> Ints:
    """The subgroup of each genre of one group, from 0 on; one alone where none is large enough."""
    labels = communities(graph, how.search)
    share = how.smallest_subgroup * all_uses / max(1, uses.sum())
    labels = attached(graph, without_small(labels, uses, share))
    if (labels == NONE).all():
        return np.zeros(len(labels), np.int64)
    words = learn_words(
        {genre: str(label) for genre, label in zip(genres, labels, strict=True) if label != NONE}
    )
    known = labels != NONE
    largest = int(np.bincount(labels[known], uses[known]).argmax())
    for place in np.flatnonzero(~known):
        said = words.group_of(genres[place])
        labels[place] = int(said[0]) if said else largest
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)

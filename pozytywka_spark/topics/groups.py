"""The rows of `genre_groups`: from a fit, from new genres, from what a person says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from pozytywka_spark.topics.by_words import learn_words
from pozytywka_spark.topics.communities import Graph, Ints
from pozytywka_spark.topics.counts import GenreCounts
from pozytywka_spark.topics.fit import COMMUNITY, NEIGHBOURS, OTHER, OVERRIDE, WORDS, by_words, graph_of
from pozytywka_spark.topics.identities import OTHER_GROUP, matched, names_of
from pozytywka_spark.topics.neighbours import NONE, attached, company

_FITTED = (COMMUNITY, NEIGHBOURS, WORDS)  # what a fit found, which is what ids are carried over by


def grouped(fitted: pl.DataFrame, before: pl.DataFrame | None, fit_id: str) -> pl.DataFrame:
    """Rows of `genre_groups` of a fit (`fit.fit_groups`), with ids of the groups `before` that overlap."""
    known = before.filter(pl.col("assigned_by").is_in(_FITTED)) if before is not None else None
    rows = fitted
    for numbers, ids in (("group", "group_id"), ("subgroup", "subgroup_id")):
        earlier = {} if known is None else dict(known.select("genre", ids).iter_rows())
        found = matched(fitted, numbers, earlier)
        rows = rows.with_columns(
            pl.col(numbers).replace_strict(found, default=OTHER_GROUP, return_dtype=pl.String).alias(ids)
        )
        names = names_of(rows, ids)
        rows = rows.with_columns(pl.col(ids).replace_strict(names, return_dtype=pl.String).alias(numbers))
    was = {} if before is None else dict(before.select("genre", "group_id").iter_rows())
    return rows.with_columns(
        fit_id=pl.lit(fit_id),
        previous_group_id=pl.col("genre").replace_strict(was, default=None, return_dtype=pl.String),
    )


def with_vanished(rows: pl.DataFrame, before: pl.DataFrame, chosen: Mapping[str, str]) -> pl.DataFrame:
    """`rows` of a refit, and below them the `chosen` genres that no artist has any more, as they were."""
    gone = before.filter(pl.col("genre").is_in(list(chosen))).join(rows, on="genre", how="anti")
    put = gone.with_columns(
        artists=pl.lit(0, pl.Int64),
        fit_id=pl.lit(rows.get_column("fit_id").first(), pl.String),
        previous_group_id="group_id",
        subgroup_id=pl.lit(None, pl.String),
    )
    return pl.concat([rows, put.select(rows.columns)])


def kept_overrides(rows: pl.DataFrame, before: pl.DataFrame) -> dict[str, str]:
    """By genre the group that a person chose, as it is called after a refit.

    Of a group that is no more it is the one that most uses of its genres went to; the fit's own say where
    there is none.
    """
    said = before.filter(pl.col("assigned_by") == OVERRIDE)
    there = {*rows.get_column("group_id").to_list(), OTHER_GROUP}
    heirs = dict(
        rows.filter(pl.col("group_id") != OTHER_GROUP)
        .group_by("previous_group_id", "group_id")
        .agg(pl.col("artists").sum())
        .sort("artists", "group_id", descending=[False, True])
        .select("previous_group_id", "group_id")
        .iter_rows()
    )
    chosen = {
        genre: group if group in there else heirs.get(group)
        for genre, group in said.select("genre", "group_id").iter_rows()
    }
    return {genre: group for genre, group in chosen.items() if group is not None}


def moved_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of genres whose group is another one than before the last refit, not by a person since."""
    return rows.filter(pl.col("group_id") != pl.col("previous_group_id"), pl.col("assigned_by") != OVERRIDE)


def moved_share(rows: pl.DataFrame) -> float:
    """Which share of the uses of genres that were there before is in another group than it was."""
    stayed = rows.drop_nulls("previous_group_id").get_column("artists").sum()
    return int(moved_rows(rows).get_column("artists").sum()) / max(1, int(stayed))


def with_new(known: pl.DataFrame, counts: GenreCounts, words_confidence: float, fit_id: str) -> pl.DataFrame:
    """`known` rows of `genre_groups` with today's `artists`, and below them those of genres that are new.

    A new genre goes where most of its company is, else where the words of its name say, else to `other`;
    those that are known stay where they are.
    """
    today = known.drop("artists").join(counts.uses, on="genre", how="left", maintain_order="left")
    rows = today.with_columns(pl.col("artists").fill_null(0)).select(known.columns)
    new = counts.uses.join(known, on="genre", how="anti", maintain_order="left")
    if not new.height:
        return rows
    ids = sorted(set(known.get_column("group_id").to_list()) - {OTHER_GROUP})
    number = {group: place for place, group in enumerate(ids)}
    of_genre = dict(known.select("genre", "group_id").iter_rows())
    genres = counts.uses.get_column("genre").to_list()
    labels = np.array([number.get(of_genre.get(genre, ""), NONE) for genre in genres], np.int64)
    graph = graph_of(counts)
    near = attached(graph, labels)
    groups, sure = by_words(genres, near, words_confidence)
    is_new = np.array([genre not in of_genre for genre in genres])
    by_company = near[is_new] != NONE
    added = new.with_columns(
        group_id=pl.Series([ids[label] if label != NONE else OTHER_GROUP for label in groups[is_new]]),
        assigned_by=pl.Series(
            np.select([by_company, groups[is_new] != NONE], [NEIGHBOURS, WORDS], OTHER).tolist(),
            dtype=pl.String,
        ),
        confidence=pl.Series(np.where(by_company, company(graph, near)[is_new], sure[is_new])),
        subgroup_id=pl.lit(None, pl.String),
        fit_id=pl.lit(fit_id),
        previous_group_id=pl.lit(None, pl.String),
    )
    return pl.concat(
        [rows, _named(in_subgroups(pl.concat([rows, added], how="diagonal"), counts), known)[rows.height :]]
    )


def overridden(rows: pl.DataFrame, chosen: Mapping[str, str], counts: GenreCounts) -> pl.DataFrame:
    """`rows` with the groups that a person chose, by genre; the subgroup follows from the company."""
    mine = pl.col("genre").is_in(list(chosen))
    group = pl.col("genre").replace_strict(dict(chosen), default=None, return_dtype=pl.String)
    put = rows.with_columns(
        group_id=pl.when(mine).then(group).otherwise("group_id"),
        # where it lies in that group already, its subgroup stays
        subgroup_id=pl.when(mine & (group != pl.col("group_id"))).then(None).otherwise("subgroup_id"),
        assigned_by=pl.when(mine).then(pl.lit(OVERRIDE)).otherwise("assigned_by"),
        confidence=pl.when(mine).then(1.0).otherwise("confidence"),
    )
    return _named(in_subgroups(put, counts), rows)


def in_subgroups(rows: pl.DataFrame, counts: GenreCounts) -> pl.DataFrame:
    """`rows` where those without `subgroup_id` have one of their group's: that of most of their company,
    else by their words, else the largest.
    """
    missing = rows.filter(pl.col("subgroup_id").is_null()).get_column("genre").to_list()
    if not missing:
        return rows
    place = {genre: n for n, genre in enumerate(counts.uses.get_column("genre").to_list())}
    group, subgroup = np.full(len(place), NONE, np.int64), np.full(len(place), NONE, np.int64)
    groups = _numbered(rows, "group_id")
    subgroups = _numbered(rows.drop_nulls("subgroup_id"), "subgroup_id")
    for genre, its_group, its_subgroup in rows.select("genre", "group_id", "subgroup_id").iter_rows():
        if genre in place and its_group != OTHER_GROUP:
            group[place[genre]] = groups[its_group]
            subgroup[place[genre]] = subgroups.get(its_subgroup, NONE)
    near = attached(_inside(graph_of(counts), group), subgroup)
    names = list(subgroups)
    found = {
        genre: names[near[place[genre]]] for genre in missing if genre in place and near[place[genre]] != NONE
    }
    found |= _by_their_words(rows, [genre for genre in missing if genre not in found])
    return rows.with_columns(
        subgroup_id=pl.coalesce(
            "subgroup_id", pl.col("genre").replace_strict(found, default=None, return_dtype=pl.String)
        )
    )


def _by_their_words(rows: pl.DataFrame, genres: list[str]) -> dict[str, str]:
    """Of each of these genres a subgroup of its group."""
    found = {}
    wanted = rows.filter(pl.col("genre").is_in(genres))
    for (group,), part in wanted.group_by("group_id"):
        mates = rows.filter(pl.col("group_id") == group).drop_nulls("subgroup_id")
        sizes = mates.group_by("subgroup_id").agg(pl.col("artists").sum()).sort("artists", "subgroup_id")
        # a group that nobody is left in has no subgroup: it has its own name then
        largest = sizes.get_column("subgroup_id")[-1] if sizes.height and group != OTHER_GROUP else str(group)
        words = (
            learn_words(dict(mates.select("genre", "subgroup_id").iter_rows())) if sizes.height > 1 else None
        )
        for genre in part.get_column("genre").to_list():
            said = words.group_of(genre) if words else None
            found[genre] = said[0] if said else largest
    return found


def _inside(graph: Graph, labels: Ints) -> Graph:
    """The graph's links between two of one label."""
    same = labels[graph.edges[:, 0]] == labels[graph.edges[:, 1]]
    return Graph(graph.nodes, graph.edges[same], graph.weights[same])


def _numbered(rows: pl.DataFrame, ids: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(rows.get_column(ids).to_list())))}


def _named(rows: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the names that ids have in `like`, in its columns."""
    names = {
        ids: dict(like.select(ids, name).iter_rows()) | {OTHER_GROUP: OTHER_GROUP}
        for ids, name in _NAMES.items()
    }
    return rows.with_columns(
        pl.col(ids).replace_strict(names[ids], default=pl.col(ids), return_dtype=pl.String).alias(name)
        for ids, name in _NAMES.items()
    ).select(like.columns)


_NAMES = {"group_id": "group", "subgroup_id": "subgroup"}

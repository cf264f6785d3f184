"""How good groups of genres are, on artists that they weren't fitted on, and how steady between two fits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from pozytywka_spark.topics.communities import Search
from pozytywka_spark.topics.counts import count_genres, genre_rows
from pozytywka_spark.topics.fit import How, fit_groups
from pozytywka_spark.topics.neighbours import NONE

Groups = Mapping[str, object]
DELIVERIES = Path(__file__).resolve().parents[3] / "shared" / "data"
HOW = How(Search(1.0, 40, 7), 0.002, 0.0005, 0.5)  # the defaults of settings


def real_lines(delivery: str, entity: str) -> list[dict[str, object]]:
    """Raw lines of a real delivery."""
    file = DELIVERIES / delivery / f"{entity}.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def real_artists(delivery: str = "dirty") -> pl.DataFrame:
    """`id`, `genres` of a delivery's artists, but for those whose id is -1."""
    rows = [(line["id"], line["genres"]) for line in real_lines(delivery, "artists") if line["id"] != -1]
    return pl.DataFrame(rows, {"id": pl.String, "genres": pl.List(pl.String)}, orient="row")


def fitted(artists: pl.DataFrame, before: Mapping[str, str] | None = None, how: How = HOW) -> dict[str, int]:
    """The group of each genre that has one."""
    return as_labels(fit_groups(count_genres(artists), how, before))


def as_labels(rows: pl.DataFrame) -> dict[str, int]:
    """The group of each genre that has one, of a fit."""
    return dict(rows.filter(pl.col("group") != NONE).select("genre", "group").iter_rows())


def labelled(artists: pl.DataFrame, groups: Groups) -> pl.DataFrame:
    """`artist`, `genre`, `group`; a genre without one is a group of its own."""
    rows = genre_rows(artists)
    return rows.with_columns(
        group=pl.Series([str(groups.get(genre, f"none: {genre}")) for genre in rows.get_column("genre")])
    )


def agreement(artists: pl.DataFrame, groups: Groups) -> float:
    """Cohen's kappa of two different genres of one artist as raters of its group, each artist counting once.

    1: one genre tells the group of another; 0: no better than two genres of two artists drawn by chance.
    """
    rows = labelled(artists, groups)
    counts = rows.group_by("artist", "group").len().with_columns(n=pl.col("len").sum().over("artist"))
    several = counts.filter(pl.col("n") > 1)
    people = several.get_column("artist").n_unique()
    same = (
        several.select(pl.col("len") * (pl.col("len") - 1.0) / (pl.col("n") * (pl.col("n") - 1.0)))
        .sum()
        .item()
    )
    shares = several.group_by("group").agg(share=(pl.col("len") / pl.col("n")).sum() / people)
    chance = float((shares.get_column("share") ** 2).sum())
    return float((same / people - chance) / (1 - chance))


def sizes(artists: pl.DataFrame, groups: Groups, least: float = 0.002) -> tuple[int, float]:
    """How many groups have at least this share of uses, and the largest one's share."""
    rows = labelled(artists, groups)
    counts = rows.filter(~pl.col("group").str.starts_with("none: ")).group_by("group").len().get_column("len")
    shares = counts / rows.height
    return int((shares >= least).sum()), float(shares.max())  # type: ignore[arg-type] a number


def steadiness(artists: pl.DataFrame, one: Groups, other: Groups) -> float:
    """The adjusted Rand index of two groupings over uses of the genres that both know."""
    genres = [genre for genre in genre_rows(artists).get_column("genre") if genre in one and genre in other]
    return float(adjusted_rand_score([one[genre] for genre in genres], [other[genre] for genre in genres]))


def moved(artists: pl.DataFrame, one: Groups, other: Groups) -> float:
    """The share of uses whose group is another one, groups going together so that it is least."""
    uses = genre_rows(artists).group_by("genre").len()
    both = [(one[g], other[g], n) for g, n in uses.iter_rows() if g in one and g in other]
    ones, others = (sorted({row[side] for row in both}, key=str) for side in (0, 1))
    common = np.zeros((len(ones), len(others)))
    for a, b, n in both:
        common[ones.index(a), others.index(b)] += n
    return float(1 - common[linear_sum_assignment(common, maximize=True)].sum() / common.sum())


def drawn(artists: pl.DataFrame, seed: int, share: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Artists drawn with this chance, and the others."""
    mine = pl.Series(np.random.default_rng(seed).random(artists.height) < share)
    return artists.filter(mine), artists.filter(~mine)


def bootstrap(artists: pl.DataFrame, seed: int) -> pl.DataFrame:
    """As many artists, drawn with replacement."""
    return artists[np.random.default_rng(seed).integers(0, artists.height, artists.height)]


def share_right(answers: Sequence[tuple[str | None, str]]) -> tuple[float, float]:
    """Of pairs of answer and truth: which share was answered, and which of the answers is right."""
    answered = [(one, truth) for one, truth in answers if one is not None]
    return len(answered) / len(answers), sum(one == truth for one, truth in answered) / len(answered)

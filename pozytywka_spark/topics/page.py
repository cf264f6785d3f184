"""The page of topics: groups and what they have, the tree, rare genres, who moved, languages, fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pozytywka_spark.reports.page import Page
from pozytywka_spark.schemas import ARTIST_GROUPS, TRACK_LANGUAGES
from pozytywka_spark.topics.by_words import learn_words
from pozytywka_spark.topics.fit import COMMUNITY, NEIGHBOURS, OTHER, OVERRIDE, WORDS
from pozytywka_spark.topics.groups import moved_rows
from pozytywka_spark.topics.identities import OTHER_GROUP
from pozytywka_spark.topics.inputs import Fit
from pozytywka_spark.topics.tree_picture import tree_picture

_MOST = 30  # lines of a table of genres
_MEANING = {
    COMMUNITY: "in the community of its group",
    NEIGHBOURS: "by the genres that its artists have beside it",
    WORDS: "by the words of its name: it never stands beside a genre that has a group",
    OVERRIDE: "put there by a person",
    OTHER: "belongs to none: alone, and its name doesn't tell",
}


@dataclass(frozen=True)
class Shown:
    """`groups`: rows of `genre_groups`; `fits`, earliest first; `sums` by group; `languages`: counts by file;
    `plays_counted`: whether the lake has plays by track.
    """

    groups: pl.DataFrame
    fits: Sequence[Fit]
    sums: Mapping[str, Counter[str]]
    languages: Sequence[Mapping[str, Any]]
    plays_counted: bool


def render(shown: Shown) -> str:
    """The HTML text."""
    fit = shown.fits[-1]
    page = Page("Topics", subtitle=f"Genres in groups, artists' languages; fit {fit.fit_id[:8]}")
    _overview(page, shown, fit)
    _groups(page, shown)
    _tree(page, shown.groups)
    _assigned(page, shown.groups)
    _moved(page, shown.groups, fit)
    _languages(page, shown.languages)
    _fits(page, shown.fits)
    return page.render()


def _overview(page: Page, shown: Shown, fit: Fit) -> None:
    uses = shown.groups.get_column("artists").sum()
    largest = _by_group(shown.groups).get_column("artists").max()
    artists = [line for line in shown.languages if line["of"] == ARTIST_GROUPS.name]
    total = sum(line["count"] for line in artists)
    page.section("At a glance").tiles(
        {
            "genres": shown.groups.height,
            "groups": fit.groups,
            "subgroups": fit.subgroups,
            "largest group": _percent(largest, uses),
            "artists": total,
            "with a language": _percent(sum(line["count"] for line in artists if line["language"]), total),
        }
    )


def _by_group(groups: pl.DataFrame) -> pl.DataFrame:
    return (
        groups.group_by("group_id", "group")
        .agg(
            pl.len().alias("genres"),
            pl.col("artists").sum(),
            subgroups=pl.col("subgroup_id").n_unique(),
            confidence=(pl.col("confidence") * pl.col("artists")).sum() / pl.col("artists").sum(),
        )
        .sort("artists", "group_id", descending=[True, False])
    )


def _groups(page: Page, shown: Shown) -> None:
    section = page.section("Groups")
    section.text(
        "Uses: an artist's genres count each. Sure: how much of the company of its genres is of the group. "
        "Listeners: users with a favourite genre in it, premium among those as delivered; a user may be in "
        "several." + ("" if shown.plays_counted else " Plays are there once features are built.")
    )
    uses = shown.groups.get_column("artists").sum()
    rows = []
    for line in _by_group(shown.groups).iter_rows(named=True):
        sums = shown.sums.get(line["group_id"], Counter())
        rows.append(
            {
                "group": line["group"],
                "id": line["group_id"],
                "genres": line["genres"],
                "subgroups": line["subgroups"],
                "uses": line["artists"],
                "share": _percent(line["artists"], uses),
                "sure": round(line["confidence"], 2) if line["artists"] else None,
                "tracks": sums["tracks"],
                "plays": sums["plays"] if shown.plays_counted else None,
                "listeners": sums["listeners"],
                "premium": _percent(sums["premium"], sums["asked"]) if sums["asked"] else "",
            }
        )
    section.table(rows)


def _tree(page: Page, groups: pl.DataFrame) -> None:
    leaves = (
        groups.filter(pl.col("group_id") != OTHER_GROUP)
        .group_by("group", "subgroup")
        .agg(pl.col("artists").sum())
    )
    section = page.section("The tree")
    if not leaves.height:
        section.text("No genre has a group: no artist has two of them.")
        return
    svg, words = tree_picture(leaves)
    section.picture(svg, alt=words, caption=f"{words}; lines as thick as artists use their genres.")


def _assigned(page: Page, groups: pl.DataFrame) -> None:
    section = page.section("How genres were assigned")
    uses = groups.get_column("artists").sum()
    told = {row["assigned_by"]: row for row in groups.group_by("assigned_by").agg(
        pl.len(), pl.col("artists").sum(), pl.col("confidence").mean()).to_dicts()}  # fmt: skip
    section.table(
        [
            {
                "assigned by": by,
                "meaning": meaning,
                "genres": told[by]["len"],
                "share of uses": _percent(told[by]["artists"], uses, digits=2),
                "confidence": round(told[by]["confidence"], 2),
            }
            for by, meaning in _MEANING.items()
            if by in told
        ]
    )
    section.text(_how_sure_words_are(groups))
    for by in (WORDS, OVERRIDE, OTHER):
        mine = groups.filter(pl.col("assigned_by") == by).sort("artists", "genre", descending=[True, False])
        section.table(
            [
                {
                    "genre": row["genre"],
                    "artists": row["artists"],
                    "group": row["group"],
                    "confidence": round(row["confidence"], 2),
                }
                for row in mine.head(_MOST).iter_rows(named=True)
            ],
            caption=f"By {by}: {mine.height:,} genres"
            + (f", the {_MOST} commonest" if mine.height > _MOST else ""),
            empty="",
        )


def _how_sure_words_are(groups: pl.DataFrame) -> str:
    """How often words alone are right, asked of genres whose group their company tells."""
    known = dict(groups.filter(pl.col("assigned_by") == COMMUNITY).select("genre", "group_id").iter_rows())
    words = learn_words(known)
    least = groups.filter(pl.col("assigned_by") == WORDS).get_column("confidence").min()
    bound = float(least) if isinstance(least, float) else 0.5
    said = [(words.group_of(genre, without=group), group) for genre, group in known.items()]
    sure = [(found[0], group) for found, group in said if found and found[1] >= bound]
    if not sure:
        return "Words of names tell of no genre where it belongs."
    right = sum(found == group for found, group in sure) / len(sure)
    return (
        f"Were words asked of the {len(known):,} genres of communities, each as if it weren't known, they "
        f"would answer for {len(sure) / len(known):.0%} as surely as here, right in {right:.0%} of those."
    )


def _moved(page: Page, groups: pl.DataFrame, fit: Fit) -> None:
    if fit.moved is None:
        return
    section = page.section("Who moved at the last refit")
    moves = moved_rows(groups).sort("artists", "genre", descending=[True, False])
    section.text(f"{fit.moved:.1%} of uses: {moves.height:,} genres.")
    section.table(
        [
            {
                "genre": row["genre"],
                "artists": row["artists"],
                "from": row["previous_group_id"],
                "to": row["group_id"],
            }
            for row in moves.head(_MOST).iter_rows(named=True)
        ],
        empty="",
    )


def _languages(page: Page, lines: Sequence[Mapping[str, Any]]) -> None:
    counts: dict[str, Counter[str]] = {ARTIST_GROUPS.name: Counter(), TRACK_LANGUAGES.name: Counter()}
    sure: dict[str, Counter[str]] = {name: Counter() for name in counts}
    silent = sum(line["silent"] for line in lines)
    for line in lines:
        if line["language"]:
            counts[line["of"]][line["language"]] += line["count"]
            sure[line["of"]][line["language"]] += line["confidence"]
    artists, tracks = counts[ARTIST_GROUPS.name], counts[TRACK_LANGUAGES.name]
    asked = sum(line["count"] for line in lines if line["of"] == ARTIST_GROUPS.name) - silent
    section = page.section("Languages")
    section.text(
        f"From titles alone: {artists.total():,} of {asked:,} artists with a title "
        f"({_percent(artists.total(), asked)}), "
        f"{tracks.total():,} tracks by their own title; the others' titles don't say for sure."
    )
    section.table(
        [
            {
                "language": language,
                "artists": artists[language],
                "share": _percent(artists[language], artists.total()),
                "confidence": _mean(sure[ARTIST_GROUPS.name][language], artists[language]),
                "tracks": tracks[language],
                "confidence of tracks": _mean(sure[TRACK_LANGUAGES.name][language], tracks[language]),
            }
            for language in sorted({*artists, *tracks}, key=lambda code: (-artists[code], code))
        ]
    )


def _fits(page: Page, fits: Sequence[Fit]) -> None:
    page.section("Fits").table(
        [
            {
                "fit": fit.fit_id[:8],
                "of artists as of": f"{fit.fitted_at:%Y-%m-%d %H:%M}",
                "groups": fit.groups,
                "subgroups": fit.subgroups,
                "genres": fit.genres,
                "uses": fit.artists,
                "moved": "" if fit.moved is None else f"{fit.moved:.1%}",
            }
            for fit in reversed(fits)
        ]
    )


def _percent(part: Any, whole: Any, digits: int = 1) -> str:
    return f"{part / whole:.{digits}%}" if whole else ""


def _mean(total: float, count: int) -> float | None:
    return round(total / count, 2) if count else None

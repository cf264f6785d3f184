"""What the topics job shows."""

from __future__ import annotations

import polars as pl

from pozytywka_spark import cli
from pozytywka_spark.topics.stage import TopicsReport

_MOST_MOVES = 20


def show(report: TopicsReport) -> None:
    """What was done, and who moved."""
    fit = report.fit
    if report.unchanged:
        cli.say(
            f"artists, tracks and settings are those of the last run: nothing to do (fit {fit.fit_id[:8]})"
        )
        return
    if report.fitted:
        cli.say(
            f"{fit.genres:,} genres in {fit.groups} groups, {fit.subgroups} subgroups (fit {fit.fit_id[:8]})"
        )
    elif report.new_genres:
        cli.say(f"{report.new_genres:,} new genres assigned; those that were known stayed")
    if report.overridden:
        cli.say(f"{report.overridden:,} genres as the overrides say")
    if fit.moved is not None and (report.fitted or report.moves.height):
        cli.say(f"{fit.moved:.1%} of uses are in another group than before")
        most = report.moves.sort(pl.col("artists"), "genre", descending=[True, False]).head(_MOST_MOVES)
        cli.show_table(
            f"{report.moves.height:,} genres moved"
            + (f", the {_MOST_MOVES} largest" if report.moves.height > _MOST_MOVES else ""),
            [
                {
                    "genre": row["genre"],
                    "artists": row["artists"],
                    "from": row["previous_group_id"],
                    "to": row["group_id"],
                }
                for row in most.iter_rows(named=True)
            ],
        )
    cli.say(
        f"{report.artists:,} artists, {report.with_group:,} with a group, {report.with_language:,} with a "
        f"language; {report.tracks:,} tracks whose own title is sure"
    )

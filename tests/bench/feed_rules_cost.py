"""What the rules of a page cost beside the order of the value, in nDCG of plays and of worth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pozytywka_spark.feed import light
from pozytywka_spark.feed.arrange.pages import Valued, arrange
from pozytywka_spark.feed.arrange.rules import Rules
from pozytywka_spark.feed.arrange.shortlist import TrackTraits
from pozytywka_spark.feed.evaluation.metrics import ndcg
from pozytywka_spark.feed.track_side import Tracks
from tests.bench.feed_ranker import Scored
from tests.bench.taste_rankings import Case

MOST = {10: 0.03, 50: 0.015}  # by the rules on artists and genres
RULES = {
    "order of the value": Rules(arrange=False),
    "rules on artists and genres": Rules(spread=0, new_artists=0, explore=0),
    "and a place for new artists": Rules(spread=0, new_artists=1, explore=0),
    "and the spread": Rules(new_artists=1, explore=0),
    "and exploring": Rules(),
}


def rules_cost(case: Case, found: Scored, tracks: Tracks) -> Iterator[str]:
    """A line a set of rules, each with those above it; costs beside the order of the value."""
    chosen = light.first_of(found.light, found.pairs, 500)
    kept, judged = light.some_of(found.pairs, chosen), case.judged()
    side, gains = tracks.side, judged.gains()
    artists = len(side.artist_id)
    played = np.unique(judged.past.play_user * artists + side.artist[judged.past.play_track])
    new = ~np.isin(kept.user * artists + side.artist[kept.track], played)
    nobody = np.zeros(len(side), dtype=bool)
    traits = TrackTraits.of(side.artist, side.genres, nobody, side.embedding)
    valued = Valued(
        kept.user_id, kept.start, kept.track, found.value[chosen], np.zeros(len(kept), dtype=np.int64), new
    )
    free: dict[tuple[str, int], float] = {}
    for name, rules in RULES.items():
        entry = arrange(valued, traits, rules, case.cut_off).entry
        ranking = np.where(entry >= 0, kept.track[np.maximum(entry, 0)], -1)
        told = []
        for kind, places in ((kind, places) for kind in gains for places in MOST):
            value = float(np.nanmean(ndcg(ranking, gains[kind], places)))
            cost = 1 - value / free.setdefault((kind, places), value)
            told.append(f"{kind} @{places} {value:.4f} ({cost:+.2%})")
        yield f"{name:30}{', '.join(told)}"
    yield f"the rules on artists and genres may cost {MOST[10]:.1%} @10 and {MOST[50]:.1%} @50"

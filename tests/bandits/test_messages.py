"""Simulated messages: what is learnt of an all-knowing policy's gain."""

from __future__ import annotations

import polars as pl
import pytest

from tests.bench.bench_messages import measured


@pytest.mark.nightly  # three worlds of 120,000 users, 34 days: minutes; all twelve are a bench
def test_most_of_what_there_is_to_gain_is_gained_and_more_than_as_published():
    rows = pl.DataFrame([row for seed in (0, 1, 3) for row in measured(seed, 120_000)])
    own = {policy: rows.filter(policy=policy)["own"] for policy in ("learnt", "published")}
    assert own["learnt"].min() > 0.85
    assert own["learnt"].mean() > own["published"].mean() + 0.05

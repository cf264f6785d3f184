"""The page of a slot: what its policy believes, whom it shows what, what it brings, and what was shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pozytywka_spark.bandits import page_charts
from pozytywka_spark.bandits.decide import probabilities
from pozytywka_spark.bandits.offpolicy.estimates import NOTE
from pozytywka_spark.bandits.penalty import Measured
from pozytywka_spark.bandits.policy import SOFTMAX, UNIFORM, Policy
from pozytywka_spark.reports.page import Page

_ARMS = 30  # shown of more
_LINES = 8
_GROUPS = 12


@dataclass(frozen=True)
class Shown:
    """What the page shows. `alias` and `policy`: None where the slot has neither champion nor challenger.

    `by_day`, `by_group`: as `report_work` counts them, of the latest days; `measured`: of a softmax;
    `evaluations`: rows of `bandit_evaluations`; `seasons`: rows of `season`.
    """

    slot: str
    alias: str | None
    policy: Policy | None
    by_day: pl.DataFrame
    by_group: pl.DataFrame
    measured: Measured | None = None
    evaluations: Sequence[Mapping[str, Any]] = field(default=())
    seasons: Sequence[Mapping[str, Any]] | None = None


def render(shown: Shown) -> str:
    """The HTML text; the same content gives the same bytes."""
    policy = shown.policy
    days = sorted(set(shown.by_day.get_column("day")))
    span = f"decisions of {days[0]} to {days[-1]}" if days else "no mature decision"
    who = f"{shown.alias} {policy.version}" if policy is not None else "no policy learnt yet"
    page = Page(f"Slot {shown.slot}", subtitle=f"{who}; {span}")
    _overview(page, shown)
    _scores(page, shown)
    if policy is not None and policy.kind != UNIFORM:
        _who_sees_what(page, shown, policy)
    if shown.measured is not None and shown.measured.faded and policy is not None and policy.kind == SOFTMAX:
        _penalty(page, shown.measured, policy)
    _values(page, shown)
    _streams(page, shown)
    if shown.seasons is not None:
        _calendar(page, shown.seasons)
    _exposure(page, shown)
    return page.render()


def _overview(page: Page, shown: Shown) -> None:
    rounds, reward = (float(shown.by_day.get_column(name).sum()) for name in ("rounds", "reward"))
    figures: dict[str, object] = {
        "mature decisions": int(rounds),
        "mean reward": reward / rounds if rounds else None,
        "arms shown": shown.by_group.get_column("arm").n_unique(),
        "groups": shown.by_group.get_column("group").n_unique(),
    }
    if shown.policy is not None and shown.policy.trained_days is not None:
        figures["learnt from"] = " to ".join(shown.policy.trained_days)
    page.section("At a glance").tiles(figures)


def _scores(page: Page, shown: Shown) -> None:
    section = page.section("Scores", anchor="scores")
    if shown.measured is not None:
        section.text(
            "What an arm brings beside those that it stands in for, as a share of the mean reward, with 95% "
            "intervals; drawn to the mean as far as data are few. A policy's score may be higher, by a bonus "
            "for arms little known."
        )
        groups = sorted({each.group for each in shown.measured.effects})
        for group in groups[:_GROUPS]:
            rows = page_charts.effect_rows(shown.measured.effects, group)[:_ARMS]
            name = f"group {group}" if group else "no group"
            chart = page_charts.intervals(rows, "effect", mark=0.0)
            height = page_charts.height_of(len(rows))
            section.charts([chart], alt=f"Effects of arms, {name}", caption=name, height=height)
        if len(groups) > _GROUPS:
            section.text(f"The first {_GROUPS} of {len(groups)} groups.")
    if shown.by_group.height:
        rows = page_charts.rate_rows(shown.by_group, _ARMS)
        section.charts(
            [page_charts.intervals(rows, "mean reward")],
            alt="Mean reward of each arm where it was shown",
            caption="Mean reward where it was shown: whom it was shown to is in this, so it ranks nothing.",
            height=page_charts.height_of(len(rows)),
        )


def _who_sees_what(page: Page, shown: Shown, policy: Policy) -> None:
    section = page.section("Who sees what", anchor="who-sees-what")
    section.text("Probabilities of a user who may see every arm and hasn't seen one, in percent.")
    groups = [group for group in policy.values if group] or [""]
    by_group = {group: probabilities(policy, group=group) for group in groups}
    top = sorted(policy.arms, key=lambda arm: (-max(of[arm] for of in by_group.values()), arm))
    rows = [
        {
            "arm": arm,
            **{group or "anybody": round(100 * by_group[group][arm], 2) for group in groups[:_GROUPS]},
        }
        for arm in top[:_ARMS]
    ]
    section.table(rows)
    hidden = [f"{len(names)} {what}" for names, what, most in
              ((top, "arms", _ARMS), (groups, "groups", _GROUPS)) if len(names) > most]  # fmt: skip
    if hidden:
        section.text(f"Of {' and '.join(hidden)} the first are shown: arms by their highest probability.")
    rules = [
        {
            "arm": arm,
            "rule": " and ".join(f"{r['column']} {r['op']} {r.get('value', '')}".strip() for r in each),
        }
        for arm, each in sorted(policy.rules.items())
        if each
    ]
    section.table(rules, caption="Who may see an arm at all", empty="")


def _penalty(page: Page, measured: Measured, policy: Policy) -> None:
    section = page.section("Novelty", anchor="novelty")
    section.text(
        f"The policy takes {policy.gamma:.4g} off an arm's score right after it was shown, half of that "
        f"after {policy.half_life_days:.4g} days. Points: what was measured, with 95% intervals."
    )
    chart = page_charts.penalty_chart(measured.faded, policy.gamma, policy.half_life_days)
    section.charts([chart], alt="What an arm brings by days since it was shown, beside the policy's penalty")


def _values(page: Page, shown: Shown) -> None:
    section = page.section("What policies would have brought", anchor="values").text(NOTE)
    alone = [row for row in shown.evaluations if not row["against"] and row["estimator"] == "dr"]
    if alone:
        rows = [(f"{r['policy']}, {r['last_day']}", r["value"], r["low"], r["high"]) for r in alone[-_ARMS:]]
        section.charts(
            [page_charts.intervals(rows, "reward of a decision")],
            alt="Value of each policy that was evaluated, with its interval",
            caption="Doubly robust values, by policy and last day.",
            height=page_charts.height_of(len(rows)),
        )
    names = (
        "policy", "first_day", "last_day", "estimator", "against", "value", "low", "high", "effective_sample",
        "largest_weight_share", "mean_weight", "decisions",
    )  # fmt: skip
    table = [{name: row[name] for name in names} for row in shown.evaluations]
    section.table(table, empty="Nothing was evaluated yet: bandits evaluate, or bandits gate.")


def _streams(page: Page, shown: Shown) -> None:
    section = page.section("Both streams by day", anchor="streams")
    section.text(
        "Decisions of the stream explore are a uniform policy's: the difference of the two is what "
        "the policies that served were worth, without any model."
    )
    if shown.by_day.height:
        section.charts([page_charts.streams_chart(shown.by_day)], alt="Mean reward by day of each stream")
    sums = shown.by_day.group_by("stream").agg(pl.col("rounds", "reward").sum()).sort("stream")
    rows = sums.with_columns((pl.col("reward") / pl.col("rounds")).alias("mean reward")).to_dicts()
    section.table(rows, empty="No mature decision.")


def _calendar(page: Page, seasons: Sequence[Mapping[str, Any]]) -> None:
    section = page.section("Season calendar", anchor="seasons")
    chart = page_charts.calendar_chart(seasons)
    if chart is not None:
        height = page_charts.height_of(len({row["genre"] for row in seasons}))
        section.charts([chart], alt="When in the year genres rise", height=height)
    section.table(
        [dict(row) for row in seasons],
        caption="Intervals are 95%, corrected for all genres and seasons that were looked at.",
        empty="No genre rises in any season.",
    )


def _exposure(page: Page, shown: Shown) -> None:
    section = page.section("Exposure", anchor="exposure")
    if shown.by_day.height:
        chart = page_charts.exposure_chart(shown.by_day, _LINES)
        section.charts([chart], alt="Share of decisions by day of the arms shown most")
    total = shown.by_group.get_column("rounds").sum()
    arms = shown.by_group.group_by("arm").agg(
        pl.col("rounds").sum(), pl.col("group").n_unique().alias("groups")
    )
    rows = [
        {"arm": arm, "decisions": rounds, "share": rounds / total, "groups": groups}
        for arm, rounds, groups in arms.sort("rounds", "arm", descending=[True, False])
        .head(_ARMS)
        .iter_rows()
    ]
    section.table(rows, empty="No mature decision.")
    if arms.height > _ARMS:
        section.text(f"The {_ARMS} most shown of {arms.height} arms.")

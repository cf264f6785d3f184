"""What the bandits job says at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pozytywka_spark import cli

if TYPE_CHECKING:
    from pozytywka_spark.bandits.daily import Day
    from pozytywka_spark.bandits.learn import Learnt
    from pozytywka_spark.bandits.offpolicy.estimates import Evaluation
    from pozytywka_spark.bandits.plan import Planned
    from pozytywka_spark.bandits.sum_days import Summed
    from pozytywka_spark.bandits.take_in import TakenIn
    from pozytywka_spark.bandits.value import Gated

_DIGITS = 6


def show_taken(taken: TakenIn) -> None:
    """What became of a log's rows."""
    cli.say(
        f"log      {taken.rows:,} rows in {taken.files} files = {taken.kept:,} kept + "
        f"{taken.quarantined:,} quarantined + {taken.duplicates:,} duplicates"
    )
    if taken.days:
        cli.say(f"days     {taken.days[0]} to {taken.days[-1]}")
    for reason, rows in sorted(taken.reasons.items()):
        cli.say(f"aside    {rows:,}: {reason}")


def show_summed(summed: Summed) -> None:
    """What was summed, and what the sums are of."""
    cli.say("sums     unchanged" if summed.unchanged else f"sums     {_days(summed.days)} summed")
    slots: dict[str, dict[str, Any]] = {}
    for row in summed.rows:
        if row["decisions"]:
            line = slots.setdefault(
                row["slot"], {"slot": row["slot"], "days": 0, "decisions": 0, "mature": 0, "summed": 0}
            )
            line["days"] += 1
            for name in ("decisions", "mature", "summed"):
                line[name] += row[name]
    cli.show_table("Slots", [slots[name] for name in sorted(slots)])


def show_learnt(learnt: Learnt) -> None:
    """The policy that was learnt."""
    state = "unchanged" if learnt.unchanged else "learnt"
    cli.say(
        f"policy   version {learnt.version} of slot {learnt.slot} {state}: {learnt.arms} arms, "
        f"{learnt.decisions:,} decisions of {learnt.days[0]} to {learnt.days[1]}; it is the challenger"
    )


def show_evaluation(slot: str, evaluation: Evaluation) -> None:
    """Values and differences, with what they may be taken for."""
    title = f"Policy {evaluation.policy} in slot {slot}, {evaluation.first_day} to {evaluation.last_day}"
    cli.show_table(title, [_estimate(each) for each in evaluation.estimates])
    for stream in evaluation.streams:
        cli.say(
            f"{stream.stream:8} {stream.decisions:,} decisions brought {stream.value:.{_DIGITS}f} each "
            f"({stream.low:.{_DIGITS}f} to {stream.high:.{_DIGITS}f})"
        )
    cli.say(f"note     {evaluation.note}")


def _estimate(each: Any) -> dict[str, object]:
    return {
        "estimator": each.estimator,
        "against": each.against or None,
        "value": round(each.value, _DIGITS),
        "low": round(each.low, _DIGITS),
        "high": round(each.high, _DIGITS),
        "effective": round(each.effective_sample),
        "largest": round(each.largest_weight_share, 4),
        "mean weight": round(each.mean_weight, 4),
        "decisions": each.decisions,
    }


def show_gated(gated: Gated) -> None:
    """Who is champion, and why."""
    if gated.promoted:
        cli.say(f"gate     version {gated.challenger} is the champion of slot {gated.slot}")
    elif gated.kept:
        who = "nobody" if gated.champion is None else f"version {gated.champion}"
        cli.say(f"gate     {who} stays the champion of slot {gated.slot}")
    for reason in gated.reasons:
        cli.say(f"gate     {reason}")


def show_rollback(slot: str, before: int, now: int) -> None:
    """The way back."""
    cli.say(f"gate     version {now} is the champion of slot {slot} again, in the place of {before}")


def show_planned(planned: Planned, out: str | None, lines: int | None) -> None:
    """What a day's plan is."""
    without = f", {planned.without:,} users have no eligible arm" if planned.without else ""
    cli.say(
        f"plan     {planned.users:,} free users of {planned.day} in slot {planned.slot}, "
        f"by policy {planned.policy}{without}"
    )
    rows = [
        {"arm": arm, "users": users, "share": round(users / max(planned.users, 1), 4)}
        for arm, users in sorted(planned.chosen.items(), key=lambda item: (-item[1], item[0]))
    ]
    cli.show_table("Chosen", rows[:20])
    if out:
        cli.say(f"lines    {lines:,} in {out}")


def show_season(rows: Sequence[dict[str, Any]]) -> None:
    """Which genre rises when."""
    cli.show_table("Seasons", rows)


def show_day(day: Day) -> None:
    """A day's whole work."""
    if day.taken_in is not None:
        show_taken(day.taken_in)
    show_summed(day.summed)
    for slot in day.slots:
        if slot.learnt is not None:
            show_learnt(slot.learnt)
        if slot.gated is not None:
            show_gated(slot.gated)
        if slot.planned is not None:
            show_planned(slot.planned, None, None)
        for why in slot.why_not:
            cli.say(f"not yet  {why}")
        cli.say(f"page     {slot.page}")


def _days(days: Sequence[object]) -> str:
    return f"{len(days)} days" if len(days) != 1 else str(days[0])

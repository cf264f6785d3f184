"""The state of moderation at a time: counts for the terminal and for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pozytywka_spark import schemas
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.moderation import rows
from pozytywka_spark.moderation.inputs import (
    cases_of,
    decided_of,
    files_of,
    settled_until,
    size_of,
    slices_of,
)
from pozytywka_spark.moderation.popularity import Popularity, popularity_of
from pozytywka_spark.moderation.report_work import (
    AGE_DAYS,
    AGES,
    ANSWERS,
    APPEALS,
    ENDS,
    FOULS,
    RELEASES,
    STARTS,
    CountAccounts,
    CountCases,
    Counts,
    added,
)
from pozytywka_spark.moderation.words import BAD, MODEL, OK, REJECTED, UNSURE, UPHELD

Row = dict[str, Any]
LAST_STEP = 5  # shown as one with all beyond


@dataclass(frozen=True)
class ModerationReport:
    """What stands on the page; `running`: day since 1970, step, blocks of it from then on."""

    at: int
    settled: int
    queue: Sequence[Row]
    answers: Sequence[Row]
    precision: Sequence[Row]
    appeals: Sequence[Row]
    fouls: Sequence[Row]
    fouls_by_step: Sequence[tuple[str, int, int]]
    running: Sequence[tuple[int, int, int]]
    popularity: Popularity


def report_of(lake: Lake, at: int) -> ModerationReport:
    """Count as of `at` (microseconds). Raises `DataError` if there are no cases."""
    settled = settled_until(lake)
    with lake.tasks() as tasks:
        cases, fouls = cases_of(lake, tasks), files_of(lake, tasks, schemas.FOULS.name, rows.FOULS)
        verdicts = files_of(lake, tasks, schemas.VERDICTS.name, rows.VERDICTS)
        of_cases = CountCases(
            slices_of(cases, verdicts),
            cases,
            verdicts,
            decided_of(lake, tasks, at),
            files_of(lake, tasks, schemas.SECOND_LOOKS.name, rows.LOOKS),
            files_of(lake, tasks, schemas.RELEASES.name, rows.RELEASES),
            at,
            min(at, settled),
        )
        of_accounts = CountAccounts(
            slices_of(fouls),
            fouls,
            files_of(lake, tasks, schemas.BLOCKS.name, rows.BLOCKS),
            files_of(lake, tasks, schemas.APPEALS.name, rows.APPEALS),
            at,
            min(at, settled),
        )
        told: list[Any] = []
        for work, size in (
            (of_cases, size_of(cases, verdicts)),
            (of_accounts, size_of(fouls, of_accounts.blocks)),
        ):
            weight, named = _weight(size), _named
            told += tasks.run(range(work.slices), work, weight=weight, named=named).results
        popularity = popularity_of(lake, tasks, at)
    return _report(added(told), at, settled, popularity)


def _weight(size: int) -> Callable[[int], int]:
    return lambda _: size


def _named(number: int) -> str:
    return f"slice {number + 1}"


def _report(counts: Counts, at: int, settled: int, popularity: Popularity) -> ModerationReport:
    steps = Counter[tuple[str, int]]()
    for (_, _, month, step, cancelled), count in counts[FOULS].items():
        if step is not None and not cancelled:
            steps[month, step] += count
    return ModerationReport(
        at,
        settled,
        _queue(counts),
        _answers(counts),
        _precision(counts),
        _appeals(counts),
        _fouls(counts),
        [(month, step, count) for (month, step), count in sorted(steps.items())],
        _running(counts),
        popularity,
    )


def age_names() -> list[str]:
    """Ages of open cases, as columns are called."""
    bounds = [0, *AGE_DAYS]
    return [f"{low} to {high} days" for low, high in zip(bounds, AGE_DAYS, strict=False)] + [
        f"{AGE_DAYS[-1]} days and more"
    ]


def _queue(counts: Counts) -> list[Row]:
    """By group: open cases by age."""
    groups = sorted({group for group, _ in counts[AGES]})
    return [
        {
            "group": group,
            "open": sum(count for (each, _), count in counts[AGES].items() if each == group),
            **{name: counts[AGES][group, place] for place, name in enumerate(age_names())},
        }
        for group in groups
    ]


def _answers(counts: Counts) -> list[Row]:
    """By reviewer and group: answers, and the share that said bad of those that say bad or ok."""
    keys = sorted({(reviewer, group) for reviewer, group, _ in counts[ANSWERS]})
    table = []
    for reviewer, group in keys:
        bad, ok, unsure = (counts[ANSWERS][reviewer, group, word] for word in (BAD, OK, UNSURE))
        table.append(
            {
                "reviewer": reviewer,
                "group": group,
                "bad": bad,
                "ok": ok,
                "unsure": unsure,
                "bad %": _percent(bad, bad + ok),
            }
        )
    return table


def _precision(counts: Counts) -> list[Row]:
    """By group, of models and of people: what was released, and how many of the fouls stand."""
    groups = sorted({key[0] for name in (RELEASES, FOULS) for key in counts[name]})
    table = []
    for group in groups:
        for who in ("model", "people"):
            released = dict.fromkeys((BAD, OK), 0)
            for (each, cause, verdict), count in counts[RELEASES].items():
                if each == group and (cause == MODEL) == (who == "model"):
                    released[verdict] += count
            fouls = cancelled = 0
            for (each, cause, _, _, is_cancelled), count in counts[FOULS].items():
                if each == group and (cause == MODEL) == (who == "model"):
                    fouls += count
                    cancelled += count * bool(is_cancelled)
            if fouls or any(released.values()):
                table.append(
                    {
                        "group": group,
                        "by": who,
                        "cases bad": released[BAD],
                        "cases ok": released[OK],
                        "fouls": fouls,
                        "taken back": cancelled,
                        "standing %": _percent(fouls - cancelled, fouls),
                    }
                )
    return table


def _appeals(counts: Counts) -> list[Row]:
    """By group: appeals and how they went."""
    groups = sorted({str(group or "nothing released") for group, _ in counts[APPEALS]})
    table = []
    for group in groups:
        of_group = Counter[str]()
        for (each, verdict), count in counts[APPEALS].items():
            if str(each or "nothing released") == group:
                of_group[verdict] += count
        upheld, rejected = of_group[UPHELD], of_group[REJECTED]
        table.append(
            {
                "group": group,
                "appeals": sum(of_group.values()),
                "upheld": upheld,
                "rejected": rejected,
                "waiting": of_group["waiting"],
                "won %": _percent(upheld, upheld + rejected),
            }
        )
    return table


def _fouls(counts: Counts) -> list[Row]:
    """By step: fouls that stand and that were taken back; without a step those of an earlier foul."""
    steps = sorted({key[3] for key in counts[FOULS]}, key=lambda step: (step is None, step))
    return [
        {
            "step": "belongs to an earlier foul" if step is None else str(step),
            "standing": sum(n for key, n in counts[FOULS].items() if key[3] == step and not key[4]),
            "taken back": sum(n for key, n in counts[FOULS].items() if key[3] == step and key[4]),
        }
        for step in steps
    ]


def _running(counts: Counts) -> list[tuple[int, int, int]]:
    """Day, step and blocks of it that run from then on."""
    changes = Counter[tuple[int, int]]()
    for name, sign in ((STARTS, 1), (ENDS, -1)):
        for (day, step), count in counts[name].items():
            changes[day, min(step, LAST_STEP)] += sign * count
    running = Counter[int]()
    table = []
    for (day, step), change in sorted(changes.items()):
        running[step] += change
        table.append((day, step, running[step]))
    return table


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None

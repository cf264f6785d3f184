"""Which labels there are, month by month: what can be learnt of them, and from which months."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.feedback.labels import LEARNT
from pozytywka_spark.months import TimeSplit, months_between, split_months

FEWEST_OF_A_CLASS = 20  # training texts


@dataclass(frozen=True)
class Labels:
    """`classes`: texts by month, task and class; `digest` names all texts with labels, with their classes."""

    classes: Mapping[date, Mapping[str, Counter[str]]]
    digest: str

    def of(self, task: str, months: Sequence[date] | None = None) -> Counter[str]:
        """Texts by class, of some months only if given."""
        chosen = self.classes if months is None else months
        return sum((self.classes[month][task] for month in chosen if month in self.classes), Counter[str]())


@dataclass(frozen=True)
class Plan:
    """`split`: None where there are too few months; `classes` of the tasks that are learnt; `silent`: of the
    others, why not.
    """

    split: TimeSplit | None
    classes: Mapping[str, tuple[str, ...]]
    silent: Mapping[str, str]
    left_out: Mapping[str, tuple[str, ...]]


def add_up(lines: Sequence[Mapping[str, Any]]) -> Labels:
    """Of the lines of `CountLabels`."""
    classes: dict[date, dict[str, Counter[str]]] = {}
    total = 0
    for line in lines:
        month = date.fromisoformat(line["month"])
        of_month = classes.setdefault(month, {task: Counter() for task in LEARNT})
        for task, counts in line["classes"].items():
            of_month[task].update(counts)
        total = (total + int(line["digest"], 16)) % (1 << 64)
    return Labels(dict(sorted(classes.items())), f"{total:x}")


def plan(settings: Settings, labels: Labels) -> Plan:
    """What is learnt: a class needs FEWEST_OF_A_CLASS training texts, a task `feedback.min_labels` and two
    classes, and texts to be measured on after those it learns from.
    """
    months = [month for month, tasks in labels.classes.items() if any(tasks[task] for task in LEARNT)]
    sides = settings.split
    split = None
    if months:
        span = months_between(months[0], months[-1])
        split = split_months(span, sides.validation_months, sides.test_months, 0)
    if split is None:
        needed = sides.validation_months + sides.test_months + 1
        why = (
            f"labels of {len(months)} months; {needed} are needed, of which split.validation_months and "
            "split.test_months are to measure on"
        )
        return Plan(None, {}, dict.fromkeys(LEARNT, why), {})
    classes, silent, left_out = {}, {}, {}
    for task in LEARNT:
        there = labels.of(task, split.train)
        enough = tuple(sorted(name for name, texts in there.items() if texts >= FEWEST_OF_A_CLASS))
        texts = sum(there[name] for name in enough)
        why = _too_few(labels, split, task, texts, enough, settings.feedback.min_labels)
        if why:
            silent[task] = why
        else:
            classes[task] = enough
            left_out[task] = tuple(sorted(set(there) - set(enough)))
    return Plan(split, classes, silent, {task: names for task, names in left_out.items() if names})


def _too_few(
    labels: Labels, split: TimeSplit, task: str, texts: int, enough: Sequence[str], least: int
) -> str:
    if len(enough) < 2:
        return f"{len(enough)} classes with {FEWEST_OF_A_CLASS} training texts or more; 2 are needed"
    if texts < least:
        return f"{texts:,} training texts with a label; feedback.min_labels asks for {least:,}"
    for name, months in (("validation", split.validation), ("test", split.test)):
        if labels.of(task, months).total() < FEWEST_OF_A_CLASS:
            return f"fewer than {FEWEST_OF_A_CLASS} texts with a label in the {name} months"
    return ""

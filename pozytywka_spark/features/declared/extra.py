"""Entries of your own beside the catalogue's: `features.extra` names the modules that declare them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module

import polars as pl

from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.declared.declaration import TABLES, Feature, declaration, measures_of
from pozytywka_spark.features.declared.levels import COLUMNS, KEYS, NEEDS
from pozytywka_spark.features.declared.trial import try_feature, try_measure
from pozytywka_spark.features.declared.values import Measure, Value, sum_name

_COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SUM_NAME = re.compile(r".*_over_[0-9]+")
_TAKEN = (*KEYS, "first_event_at")  # columns that stand beside measures and features


def extra_features(modules: Sequence[str], catalogue: Sequence[Feature]) -> tuple[Feature, ...]:
    """The entries in the tuple `FEATURES` of each module, in the order in which modules are named.

    Only the driver imports the modules: tasks are sent expressions. Raises `UsageError` for a module that
    can't be imported or has no such tuple, and for an entry that can't stand beside `catalogue`: a name that
    is taken or is no column name, a measure other than the one of that name, no stated arithmetic, a column
    read that isn't there, what doesn't yield a number of its own row (`trial`).
    """
    features = list(catalogue)
    for module in modules:
        for feature in _declared_in(module):
            try:
                _check(feature, features)
            except UsageError as error:
                raise UsageError(f"features.extra: {module}: {error}") from None
            features.append(feature)
    return tuple(features[len(catalogue) :])


def _declared_in(module: str) -> tuple[Feature, ...]:
    try:
        features = getattr(import_module(module), "FEATURES", None)
    except UsageError as error:
        raise UsageError(f"features.extra: {module}: {error}") from error
    except Exception as error:  # the module is somebody's own code: whatever is wrong in it stops the job
        raise UsageError(
            f"features.extra: {module} can't be imported ({_in_short(error)}); "
            "install it, or name its folder in PYTHONPATH"
        ) from error
    if not isinstance(features, tuple) or not all(isinstance(each, Feature) for each in features):
        raise UsageError(
            f"features.extra: {module} has no tuple FEATURES of entries (declared.declaration.Feature)"
        )
    return features


def _check(feature: Feature, before: Sequence[Feature]) -> None:
    if feature.name in {each.name for each in before}:
        raise UsageError(f"a feature {feature.name} is there already; choose another name")
    if not isinstance(feature.value, Value):
        raise UsageError(f"{feature.name} needs a value made of measures, such as skips / plays")
    _check_name(feature)
    if not all(isinstance(measure, Measure) for measure in feature.measures) or feature.months < 1:
        raise UsageError(f"{feature.name} needs a tuple of measures (declared.values.Measure), and a month")
    if unknown := sorted(set(feature.needs) - set(TABLES)):
        raise UsageError(f"{feature.name} needs {', '.join(unknown)}; there is {', '.join(TABLES)}")
    measures = {measure.name: measure for measure in measures_of(before)}
    for measure in feature.measures:
        _check_measure(measure, measures.get(measure.name))
        if unsaid := sorted(set(NEEDS.get(measure.level, ())) - set(feature.needs)):
            raise UsageError(
                f"{feature.name} is made of the level {measure.level}: its `needs` lacks {', '.join(unsaid)}"
            )
        measures[measure.name] = measure
    names = [measure.name for measure in feature.measures]
    sums = [sum_name(name, feature.months) for name in names] if feature.months > 1 else []
    _check_reads(feature, feature.expression, [*KEYS, *names, *sums])
    try_feature(feature, [*KEYS, *names, *sums])


def _check_measure(measure: Measure, other: Measure | None) -> None:
    _check_name(measure)
    if _SUM_NAME.fullmatch(measure.name):
        raise UsageError(f"measure {measure.name} is named like a sum over months; choose another name")
    if measure.level not in COLUMNS:
        raise UsageError(f"{measure.name} is of level {measure.level}; there is {', '.join(COLUMNS)}")
    _check_reads(measure, measure.aggregate, COLUMNS[measure.level])
    if other is not None and not _same(measure, other):
        raise UsageError(f"a measure {measure.name} that is another is there already; choose another name")
    if other is None:
        try_measure(measure)


def _same(one: Measure, other: Measure) -> bool:
    return declaration(one) == declaration(other) and one.aggregate().meta.eq(other.aggregate())


def _check_name(entry: Feature | Measure) -> None:
    if not _COLUMN_NAME.fullmatch(entry.name) or entry.name in _TAKEN:
        raise UsageError(
            f"{entry.name!r} can't be a column's name: small letters, digits and _, but none of "
            f"{', '.join(_TAKEN)}"
        )
    if not entry.arithmetic:
        raise UsageError(f"{entry.name} states no arithmetic, which the catalogue's hash is made of")


def _check_reads(entry: Feature | Measure, make: Callable[[], pl.Expr], there: Sequence[str]) -> None:
    try:
        unknown = sorted(set(make().meta.root_names()) - set(there))
    except Exception as error:  # as above
        raise UsageError(f"{entry.name} makes no expression ({_in_short(error)})") from error
    if unknown:
        raise UsageError(f"{entry.name} reads {', '.join(unknown)}; there is {', '.join(there)}")


def _in_short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"

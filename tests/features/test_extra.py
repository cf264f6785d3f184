"""Entries of one's own stand beside the catalogue's, or are refused in a line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.features.build.plan import plan_of
from pozytywka_spark.features.declared.catalogue import CATALOGUE, catalogue_hash, catalogue_of, feature_order
from pozytywka_spark.features.declared.declaration import Feature, measures_of
from pozytywka_spark.features.declared.extra import extra_features
from pozytywka_spark.features.declared.levels import KEYS
from pozytywka_spark.features.declared.listening import plays
from pozytywka_spark.features.declared.trial import try_feature, try_measure
from pozytywka_spark.features.declared.values import Level, Measure, sum_name
from pozytywka_spark.features.page.catalogue_page import as_html, as_markdown
from tests.features.extra_features import FEATURES, early_plays

MODULE = "tests.features.extra_features"
OWN = load_settings("local", [f"features.extra=[{MODULE}]"])
EARLY, SHARE = FEATURES


def computed(feature: Feature, **changes: object) -> Feature:
    """The feature with something else about how its value is computed."""
    return replace(feature, value=replace(feature.value.as_formula(), **changes))


def measured(aggregate: Callable[[], pl.Expr], level: Level = "event") -> Measure:
    return Measure(name="n", aggregate=aggregate, level=level, arithmetic="n")


def test_they_come_after_the_catalogue_in_the_order_of_the_model_and_in_the_hash() -> None:
    assert catalogue_of(load_settings("local", [])) == CATALOGUE
    assert catalogue_of(OWN) == (*CATALOGUE, *FEATURES)
    assert feature_order(OWN) == (*feature_order(), "early_plays", "early_share_last_3_months")
    assert catalogue_hash(OWN) == catalogue_hash(features=(*CATALOGUE, *FEATURES)) != catalogue_hash()
    dropped = load_settings("local", [f"features.extra=[{MODULE}]", "features.drop=[early_plays]"])
    assert feature_order(dropped) == (*feature_order(), "early_share_last_3_months")


def test_they_are_computed_as_the_catalogues_are() -> None:
    plan = plan_of(catalogue_of(OWN))
    assert plan.measures[-1].name == "early_plays"
    assert plan.sums[-1] == ("early_plays", 3)
    assert ("plays", 3) in plan.sums[:-1]
    sums = pl.DataFrame({"early_plays_over_3": [3, 0], "plays_over_3": [4, 0]})
    assert sums.select(plan.features[-1].made)["early_plays_over_3"].to_list() == [0.75, None]


def test_the_pages_hold_them() -> None:
    features = catalogue_of(OWN)
    page = as_markdown(catalogue_hash(OWN), features)
    assert "| early_plays | plays before 09:00 UTC |" in page
    assert f"{len(CATALOGUE) + 2} features, hash `{catalogue_hash(OWN)}`" in page
    assert "<td>early_share_last_3_months</td>" in as_html(catalogue_hash(OWN), features)


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ((replace(EARLY, name="skip_rate"),), "a feature skip_rate is there already; choose another name"),
        ((EARLY, SHARE, EARLY), "a feature early_plays is there already; choose another name"),
        ((replace(EARLY, name="Early"),), "'Early' can't be a column's name: small letters, digits and _, "
         "but none of user_id, month, cut_off, first_event_at"),
        ((replace(EARLY, name="early plays"),), "'early plays' can't be a column's name: small letters"),
        ((replace(EARLY, name="month"),), "'month' can't be a column's name: small letters"),
        ((computed(EARLY, measures=(replace(early_plays, name="user_id"),)),), "'user_id' can't be"),
        ((computed(EARLY, arithmetic=""),), "early_plays states no arithmetic, which the catalogue's hash"),
        ((computed(EARLY, measures=(replace(early_plays, arithmetic=""),)),), "early_plays states no"),
        ((computed(EARLY, measures=(replace(early_plays, name="plays_over_3"),)),),
         "measure plays_over_3 is named like a sum over months; choose another name"),
        ((computed(EARLY, measures=(early_plays, replace(early_plays, name="plays"))),),
         "a measure plays that is another is there already; choose another name"),
        ((computed(EARLY, measures=(early_plays, replace(plays, aggregate=pl.len))),),
         "a measure plays that is another is there already; choose another name"),
        ((computed(EARLY, measures=(early_plays, replace(early_plays, revision=2))),),
         "a measure early_plays that is another is there already"),
        ((computed(EARLY, expression=lambda: pl.col("early_plays") / pl.col("days")),),
         "early_plays reads days; there is user_id, month, cut_off, early_plays"),
        ((computed(SHARE, months=1),), "early_share_last_3_months reads early_plays_over_3, plays_over_3"),
        ((computed(EARLY, measures=(measured(lambda: pl.col("until_next").sum()),)),),
         "n reads until_next; there is user_id, month, cut_off, at, kind, session_id"),
        ((computed(EARLY, measures=("plays",)),), "early_plays needs a tuple of measures"),
        ((replace(EARLY, value="plays"),), "early_plays needs a value made of measures, such as"),
        ((computed(EARLY, months=0),), "early_plays needs a tuple of measures"),
        ((computed(EARLY, measures=(replace(early_plays, level="evnt"),)),),
         "early_plays is of level evnt; there is event, gap, session, popularity, genre, group, language, "
         "text, debut, user"),
        ((computed(EARLY, expression=lambda: 1 / 0),),
         "early_plays makes no expression (ZeroDivisionError: division by zero)"),
        ((computed(EARLY, expression=lambda: 1.0),), "early_plays makes no expression (AttributeError"),
    ],
)  # fmt: skip
def test_what_cant_stand_beside_the_catalogue_is_refused(
    monkeypatch: pytest.MonkeyPatch, features: tuple[Feature, ...], told: str
) -> None:
    module = ModuleType("of_mine")
    module.FEATURES = features  # type: ignore[attr-defined] # what a module declares
    monkeypatch.setitem(sys.modules, "of_mine", module)
    with pytest.raises(UsageError) as error:
        extra_features(["of_mine"], CATALOGUE)
    assert str(error.value).startswith(f"features.extra: of_mine: {told}")
    assert "\n" not in str(error.value)


OTHER_ROWS = "isn't made of its own row's columns by their names alone: other rows, and columns that nobody"


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (lambda: pl.col("early_plays").shift(-1).over("user_id", order_by="month"), OTHER_ROWS),
        (lambda: pl.col("early_plays") / pl.col("early_plays").mean().over("month"), OTHER_ROWS),
        (lambda: pl.col("early_plays").rank().over("month"), OTHER_ROWS),
        (lambda: pl.int_range(pl.len()), OTHER_ROWS),
        (lambda: pl.sum_horizontal(pl.all().exclude("month")), OTHER_ROWS),
        (lambda: pl.nth(3), OTHER_ROWS),
        (lambda: pl.lit("many"), "can't be computed (InvalidOperationError: conversion from"),
        (lambda: pl.concat_list("early_plays"), "can't be computed (InvalidOperationError: cannot cast List"),
        (lambda: pl.col("early_plays").filter(pl.col("early_plays") > 3), "can't be computed (ShapeError"),
    ],
)  # fmt: skip
def test_a_feature_that_is_no_number_of_its_own_row_is_refused(
    monkeypatch: pytest.MonkeyPatch, expression: Callable[[], pl.Expr], told: str
) -> None:
    """Users go in slices, as many as a build is large: what stands beside a row is chance."""
    assert refused(monkeypatch, computed(EARLY, expression=expression)).startswith(f"early_plays {told}")


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        (measured(lambda: pl.col("at"), "gap"), "n aggregates nothing: it must yield one whole"),
        (measured(lambda: pl.lit("x")), "n can't be computed (InvalidOperationError"),
        (measured(lambda: pl.col("first_event_at").max(), "user"), f"n {OTHER_ROWS}"),
        (measured(lambda: pl.col("cut_off").max().over("user_id"), "user"), f"n {OTHER_ROWS}"),
    ],
)
def test_a_measure_that_is_no_number_of_a_users_month_is_refused(
    monkeypatch: pytest.MonkeyPatch, measure: Measure, told: str
) -> None:
    entry = computed(EARLY, measures=(measure,), expression=lambda: pl.col("n"))
    assert refused(monkeypatch, entry).startswith(told)


@pytest.mark.thorough
def test_every_entry_of_the_catalogue_stands_the_trial() -> None:
    """Honest ones: none may be refused."""
    for measure in measures_of(CATALOGUE):
        try_measure(measure)
    for feature in CATALOGUE:
        names = [measure.name for measure in feature.measures]
        try_feature(feature, [*KEYS, *names, *(sum_name(name, feature.months) for name in names)])


def refused(monkeypatch: pytest.MonkeyPatch, feature: Feature) -> str:
    """What is said of a module with this entry, after the module's name."""
    module = ModuleType("of_mine")
    module.FEATURES = (feature,)  # type: ignore[attr-defined] # what a module declares
    monkeypatch.setitem(sys.modules, "of_mine", module)
    with pytest.raises(UsageError) as error:
        extra_features(["of_mine"], CATALOGUE)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix("features.extra: of_mine: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "of_mine can't be imported (ModuleNotFoundError: No module named 'of_mine'); install it, or "
         "name its folder in PYTHONPATH"),
        ("import no_such_thing", "of_mine can't be imported (ModuleNotFoundError: No module named"),
        (f"from {MODULE} import early_plays\nFEATURES = (early_plays.over(3) / early_plays.over(6),)",
         "of_mine: early_plays_over_3 and early_plays_over_6 look over 3 and 6 months; one feature looks"),
        ("FEATURES = (", "of_mine can't be imported (SyntaxError: '(' was never closed"),
        ("features = ()", "of_mine has no tuple FEATURES of entries"),
        ("FEATURES = []", "of_mine has no tuple FEATURES of entries"),
        ("FEATURES = ('early_plays',)", "of_mine has no tuple FEATURES of entries"),
    ],
)  # fmt: skip
def test_a_module_without_entries_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, told: str
) -> None:
    if text is not None:
        (tmp_path / "of_mine.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "of_mine", raising=False)
    with pytest.raises(UsageError) as error:
        extra_features(["of_mine"], CATALOGUE)
    assert str(error.value).startswith(f"features.extra: {told}")
    assert "\n" not in str(error.value)
    sys.modules.pop("of_mine", None)


def test_two_modules_may_share_measures_but_not_names(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("another")
    other.FEATURES = (replace(EARLY, name="early_again"),)  # type: ignore[attr-defined] # as above
    monkeypatch.setitem(sys.modules, "another", other)
    names = [feature.name for feature in extra_features([MODULE, "another"], CATALOGUE)]
    assert names == ["early_plays", "early_share_last_3_months", "early_again"]
    with pytest.raises(UsageError, match="a feature early_plays is there already"):
        extra_features([MODULE, MODULE], CATALOGUE)


def test_the_example_of_the_docs_is_a_module_as_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/add-a-feature.md").read_text(encoding="utf-8")
    (code,) = [block.split("```")[0] for block in page.split("```python\n") if "FEATURES = (" in block]
    module = ModuleType("of_the_docs")
    exec(code, vars(module))
    monkeypatch.setitem(sys.modules, "of_the_docs", module)
    (feature,) = extra_features(["of_the_docs"], CATALOGUE)
    made = pl.DataFrame({"skips_over_3": [1], "plays_over_3": [4]}).select(feature.expression())
    assert made.item() == 0.25

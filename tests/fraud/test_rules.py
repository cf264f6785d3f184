"""The file of rules: what it may say, what is wrong with it by line, and that nothing in it is run."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_spark.config import conf_folder, load_settings
from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.fraud.console import show_tried
from pozytywka_spark.fraud.declared.catalogue import NAMES
from pozytywka_spark.fraud.make import check_rules
from pozytywka_spark.fraud.rules.backtest import Backtest, Tried
from pozytywka_spark.fraud.rules.grammar import OPERATORS, Condition, Rule, parse_rules, rules_hash
from pozytywka_spark.fraud.rules.read import read_rules
from tests.fraud.made import day_rows

GOOD = """
- name: busy
  group: bots
  meaning: plays   a lot
  conditions:
    - plays > 100
    - night_share <= 0.25
"""


def parsed(text: str) -> tuple[Rule, ...]:
    return parse_rules(text, "rules.yaml", NAMES)


def test_a_rule_is_read() -> None:
    conditions = (Condition("plays", ">", 100.0), Condition("night_share", "<=", 0.25))
    assert parsed(GOOD) == (Rule("busy", "bots", "plays a lot", conditions),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("plays >", "playz >"), "line 6: no signal 'playz', did you mean plays?"),
        (GOOD.replace("> 100", ">> 100"), "line 6: .*expected signal operator"),
        (GOOD.replace("> 100", "> many"), "line 6: 'plays > many': 'many' is no number"),
        (GOOD.replace("> 100", "> nan"), "'nan' is no number"),
        (GOOD.replace("> 100", "> 1e999"), "'1e999' is no number"),
        (GOOD.replace("> 100", "> 100 or 1 > 0"), "line 6: .*expected signal operator number"),
        (GOOD.replace("plays > 100", "__import__('os').getcwd()"), "line 6: .*expected signal operator"),
        (GOOD.replace("plays > 100", "adverts + plays > 100"), "line 6: .*expected signal operator number"),
        (GOOD.replace("group", "groups"), "line 3: no such field 'groups', did you mean group?"),
        (GOOD.replace("  meaning: plays   a lot\n", ""), "line 2: a rule without meaning"),
        (GOOD.replace("bots", "rings"), "line 3: group rings has its cases without a rule"),
        (GOOD.replace("bots", "unknown"), "line 3: group unknown has its cases without a rule"),
        (GOOD.replace("busy", "Busy Bee"), "line 2: name 'Busy Bee': expected a-z"),
        (GOOD + GOOD, "line 9: a second rule busy"),
        (GOOD.replace("- plays > 100\n    - night_share <= 0.25", "plays"), "line 6: .*list of conditions"),
        (GOOD.replace("group: bots", "group: [bots]"), "line 3: group: expected a text"),
        (GOOD + "  group: bots\n", "line 8: group twice in one rule"),
        ("- just a text", "line 1: expected a rule, with name, group"),
        ("name: busy", "expected a list of rules"),
        ("", "expected a list of rules"),
        ("- name: [", "not YAML"),
        ("- !!python/object/apply:os.getcwd []", "line 1: expected a rule"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_line(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        parsed(text)
    assert str(raised.value).startswith("rules.yaml")
    assert "\n" not in str(raised.value)


@given(st.text(alphabet="- :plays>100\n[]{}!&*#'\"group name condto", max_size=80))
@settings(max_examples=300, deadline=None)
def test_whatever_a_file_says_is_rules_or_one_line(text: str) -> None:
    try:
        told = "".join(rule.name for rule in parsed(text))
    except UsageError as error:
        told = str(error)
    assert "\n" not in told


@pytest.mark.thorough
@given(
    st.sampled_from(sorted(OPERATORS)),
    st.floats(-5, 5, allow_nan=False),
    st.lists(st.none() | st.floats(-5, 5, allow_nan=False) | st.integers(-2, 2).map(float), min_size=1),
)
@settings(max_examples=150, deadline=None)
def test_a_condition_holds_as_python_would_have_it(
    operator: str, number: float, values: list[float | None]
) -> None:
    rows = pl.DataFrame({"plays": values}, schema={"plays": pl.Float64})
    found = rows.select(Condition("plays", operator, number).holds()).to_series().to_list()
    compare = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__", "==": "__eq__", "!=": "__ne__"}
    assert found == [value is not None and getattr(value, compare[operator])(number) for value in values]


def test_all_conditions_must_hold_and_null_fulfils_none() -> None:
    rows = day_rows(
        {"plays": 101.0, "night_share": 0.25},
        {"plays": 101.0, "night_share": 0.26},
        {"plays": 100.0, "night_share": 0.0},
        {"plays": 101.0, "night_share": None},
    )
    assert rows.select(parsed(GOOD)[0].holds()).to_series().to_list() == [True, False, False, False]


def test_the_hash_follows_what_decides_cases() -> None:
    (rule,) = parsed(GOOD)
    same = parsed(GOOD.replace("plays   a lot", "whatever"))
    turned = Rule(rule.name, rule.group, "", tuple(reversed(rule.conditions)))
    assert rules_hash([rule]) == rules_hash(same) == rules_hash([turned])
    assert rules_hash([rule]) != rules_hash(parsed(GOOD.replace("100", "101")))
    assert rules_hash([rule]) != rules_hash(parsed(GOOD.replace("bots", "robots")))


def test_the_rules_that_come_with_it() -> None:
    rules = read_rules(load_settings())
    assert len(rules) >= 8
    assert len({rule.group for rule in rules}) >= 6
    assert "quick_buyers" in {rule.group for rule in rules}
    assert (conf_folder() / "rules.yaml").is_file()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"rules .*nowhere\.yaml can't be read"):
        read_rules(load_settings("local", [f"fraud.rules={tmp_path}/nowhere.yaml"]))


def test_a_rule_that_flags_half_of_all_days_is_refused_by_name() -> None:
    lines = [
        {"days": 60, "flagged": {"all": 40, "some": 9}},
        {"days": 40, "flagged": {"all": 10, "some": 40}},
    ]
    with pytest.raises(DataError, match="rule all flags 50 of 100 account-days, half or more"):
        check_rules(lines)
    check_rules([{**line, "flagged": {"some": line["flagged"]["some"]}} for line in lines])


def test_a_folder_of_settings_without_rules_has_the_packages_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings()
    own = read_rules(settings)
    monkeypatch.setenv("POZYTYWKA_CONF", str(tmp_path))
    assert read_rules(settings) == own
    (tmp_path / "rules.yaml").write_text(GOOD)
    assert read_rules(settings) == parsed(GOOD)


def test_a_driver_on_the_cluster_takes_the_rules_that_were_sent_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings()
    for name, text in (("base.yaml", ""), ("rules.yaml", GOOD)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POZYTYWKA_CONF")
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert read_rules(settings) == parsed(GOOD)


def test_a_rule_that_is_tried_is_shown_and_then_refused(capsys: pytest.CaptureFixture[str]) -> None:
    rules = parsed(GOOD)
    show_tried(Backtest(2, 100, [Tried(rules[0], days=49)]))
    with pytest.raises(DataError, match="rule busy flags 50 of 100"):
        show_tried(Backtest(2, 100, [Tried(rules[0], days=50)]))
    told = capsys.readouterr().out
    assert "49.000%" in told
    assert "50.000%" in told

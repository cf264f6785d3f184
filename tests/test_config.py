from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import UsageError


def conf(folder: Path, base: str = "{}", local: str = "{}") -> Path:
    (folder / "base.yaml").write_text(base)
    (folder / "local.yaml").write_text(local)
    return folder


def test_later_values_win(tmp_path: Path) -> None:
    files = conf(tmp_path, "label: {horizon_days: 7}\nsplit: {test_months: 3}", "label: {horizon_days: 14}")
    assert load_settings("local", conf=files).label.horizon_days == 14
    settings = load_settings("local", ["label.horizon_days=21"], conf=files)
    assert settings.label.horizon_days == 21
    assert settings.split.test_months == 3


def test_an_override_changes_one_key_of_a_section_only(tmp_path: Path) -> None:
    files = conf(tmp_path, "spark: {driver_memory: 2g, ui: true}")
    spark = load_settings("local", ["spark.driver_memory=5g"], conf=files).spark
    assert (spark.driver_memory, spark.ui) == ("5g", True)


def test_a_spark_key_keeps_its_dots() -> None:
    settings = load_settings("local", ["spark.conf.spark.sql.ansi.enabled=false"])
    assert settings.spark.conf["spark.sql.ansi.enabled"] is False


def test_a_month_is_short_for_its_first_day() -> None:
    assert load_settings("local", ["synthetic.start=2022-03"]).synthetic.start == date(2022, 3, 1)


def test_the_embedded_pozytywka_never_shares_a_lake_with_real_deliveries() -> None:
    embedded, real = load_settings("local"), load_settings("local", ["raw.path=deliveries/today"])
    assert embedded.lake.root == "var/embedded/lake"
    assert embedded.raw_path == "var/embedded/raw"
    assert real.lake.root == "var/lake"
    assert real.raw_path == "deliveries/today"
    assert embedded.mlflow.tracking_uri != real.mlflow.tracking_uri


def test_settings_are_frozen() -> None:
    settings = load_settings("local")
    with pytest.raises(ValidationError, match="frozen"):
        settings.label.horizon_days = 3  # type: ignore[misc]


def test_the_label_column_tells_its_horizon() -> None:
    assert load_settings("local").label.column == "buys_within_30_days"
    assert load_settings("local", ["label.horizon_days=14"]).label.column == "buys_within_14_days"
    assert (
        load_settings("local", ["label.name=buys_ever", "label.allow_censored=true"]).label.column
        == "buys_ever"
    )


@pytest.mark.parametrize(
    "text",
    [
        "deliveries/#5", "deliveries/a #b", "ends in a blank ", " begins with one", "'quoted'", '"quoted"',
        "yes", "null", "~", "12", "1e3", "2023-01-05", "a: b", "[x]", "{x: 1}", "a=b", "&a", "*a", "- x",
    ],
)  # fmt: skip
def test_a_text_is_taken_as_it_was_typed(text: str) -> None:
    assert load_settings("local", [f"raw.path={text}"]).raw_path == text
    assert load_settings("local", [f"home={text}"]).home == text


def test_an_optional_text_is_unset_by_nothing() -> None:
    assert load_settings("local", ["raw.path=x", "raw.path="]).raw.path is None
    with pytest.raises(UsageError, match=r"lake\.root='': .*at least 1 character"):
        load_settings("local", ["lake.root="])


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("label.horizon_days=14", 14),
        ("label.horizon_days=014", 14),
        ("label.horizon_days=1_4", 14),
        ("label.allow_censored=yes", True),
        ("label.allow_censored= true ", True),
        ("training.num_workers=null", None),
        ("training.num_workers=", None),
        ("training.positive_weight=balanced", "balanced"),
        ("training.positive_weight=2", 2.0),
        ("features.drop=[skip_rate, 'tenure_days']", ("skip_rate", "tenure_days")),
        ("evaluation.thresholds=[0.1, 0.2]", (0.1, 0.2)),
        ("training.monotone={skip_rate: -1}", {"skip_rate": -1}),
        ("training.monotone.skip_rate=-1", {"skip_rate": -1}),
        ("training.learning_rate=1e-2", 0.01),
    ],
)
def test_other_values_are_parsed(override: str, value: object) -> None:
    settings = load_settings("local", ["label.name=buys_within_horizon", override])
    section, name = override.partition("=")[0].split(".")[:2]
    assert getattr(getattr(settings, section), name) == value


@pytest.mark.parametrize(
    "override", ["label.horizon_days=1:30", "label.horizon_days=0x10", "label.horizon_days=1#2"]
)
def test_a_number_that_only_yaml_would_read_is_refused(override: str) -> None:
    with pytest.raises(UsageError, match=r"label\.horizon_days='.*integer"):
        load_settings("local", [override])


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("colour=red", r"unknown setting colour; sections: .*label"),
        ("label.horizon=3", r"unknown setting label\.horizon; keys of label: name, horizon_days"),
        ("label.horizon_days=soon", r"label\.horizon_days='soon'.*integer"),
        ("label.horizon_days=0", r"label\.horizon_days=0.*greater than or equal to 1"),
        ("lake.engine=iceberg", r"lake\.engine='iceberg'.*'delta-rs' or 'delta-spark'"),
        ("label.name=buys_ever", r"censored.*label\.allow_censored=true"),
        ("spark.driver_memory=lots", r"spark\.driver_memory='lots'"),
        ("synthetic.start=2022-03-05", r"synthetic.*first of a month"),
        ("label", r"--set label: expected key=value"),
        ("=3", r"expected key=value"),
        ("lake=here", r"setting lake='here'"),
    ],
)
def test_a_wrong_override_is_one_line_that_says_what_is_allowed(override: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        load_settings("local", [override])
    assert "\n" not in str(caught.value)


def test_an_unknown_environment_is_named() -> None:
    with pytest.raises(UsageError, match="--env mars: no such environment; one of: local, cluster"):
        load_settings("mars")


@pytest.mark.parametrize("content", ["- a list", "label: [", "just words"])
def test_a_broken_settings_file_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(UsageError, match=r"base\.yaml"):
        load_settings("local", conf=conf(tmp_path, base=content))


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"base\.yaml is missing"):
        load_settings("local", conf=tmp_path)

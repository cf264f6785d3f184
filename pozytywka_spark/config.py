"""Frozen typed settings: `conf/base.yaml`, then the environment's file, then `--set key=value`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pozytywka_spark.errors import UsageError

ENVIRONMENTS = ("local", "cluster")
EMBEDDED_HOME = "var/embedded"
HOME = "var"


class Section(BaseModel):
    """A group of settings: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _month(value: object) -> object:
    """Accept `2023-05` for the first of May 2023."""
    return f"{value}-01" if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}", value) else value


Month = Annotated[date, BeforeValidator(_month)]


class Raw(Section):
    """Where deliveries are."""

    path: str | None = Field(
        None, min_length=1, description="folder of one delivery; unset: the embedded one"
    )


class Ingest(Section):
    """How raw files are read."""

    max_files_per_batch: int | None = Field(
        None, ge=1, description="unset: a delivery is one batch, so that sessions are whole when repaired"
    )
    max_line_bytes: int = Field(1_048_576, ge=1024, description="longer lines are quarantined unparsed")
    wait_seconds: float = Field(600, ge=0, description="how long to wait for another ingest on the same lake")


class LakeSettings(Section):
    """Where the Delta tables are and which implementation reads and writes them."""

    root: str = Field(min_length=1, description="folder that holds one folder a table")
    engine: Literal["delta-rs", "delta-spark"] = "delta-rs"
    delta_jars: Literal["provided", "download"] = Field(
        "provided", description="delta-spark only: the Spark at hand has Delta's jars, or Spark fetches them"
    )


class Spark(Section):
    """What the one session builder is told."""

    master: str | None = Field(None, description="unset: local[*] in place, spark-submit's own otherwise")
    driver_memory: str = Field("3g", pattern=r"^\d+[kmgt]$")
    shuffle_partitions: int | None = Field(None, ge=1, description="unset: four per core, at least 8")
    ui: bool = False
    conf: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="any further spark.* key"
    )


class Label(Section):
    """What is predicted."""

    name: Literal["buys_within_horizon", "buys_ever"] = "buys_within_horizon"
    horizon_days: int = Field(30, ge=1, le=366)
    allow_censored: bool = Field(False, description="must be true to train on buys_ever")

    @property
    def horizon_column(self) -> str:
        """The label column whose horizon this is: `buys_within_30_days` by default."""
        return f"buys_within_{self.horizon_days}_days"

    @property
    def column(self) -> str:
        """The label column that is trained on."""
        return "buys_ever" if self.name == "buys_ever" else self.horizon_column


class Features(Section):
    """What is built of users' months, and what of it models see."""

    drop: tuple[str, ...] = Field((), description="features of the catalogue that models are not given")
    report_rows: int = Field(50_000, ge=100, description="rows that correlation and histograms look at")
    redundant_above: float = Field(0.98, gt=0, le=1, description="Spearman correlation of a redundant group")


class Guards(Section):
    """How hard the guards look."""

    perturbation: bool = Field(True, description="false skips the rebuild with the future removed")
    perturbation_users: int = Field(200, ge=1, description="users whose months are rebuilt")
    suspicion_rows: int = Field(20_000, ge=100, description="labelled rows that single features are tried on")
    seed: int = 7
    max_single_auc: float = Field(0.95, gt=0.5, le=1, description="a feature this good alone is a leak")


class Split(Section):
    """Months on each side of the time split, counted back from the last mature month."""

    validation_months: int = Field(2, ge=1)
    test_months: int = Field(2, ge=1)
    folds: int = Field(3, ge=1, le=24, description="rolling-origin folds for tuning and stability")


class Training(Section):
    """The estimators' settings."""

    seed: int = 7
    num_workers: int | None = Field(None, ge=1, description="unset: the planner picks")
    max_trees: int = Field(400, ge=1)
    early_stopping_rounds: int = Field(30, ge=1)
    learning_rate: float = Field(0.06, gt=0, le=1)
    max_depth: int = Field(4, ge=1, le=16)
    min_child_weight: float = Field(5.0, ge=0)
    subsample: float = Field(0.9, gt=0, le=1)
    colsample_bytree: float = Field(0.8, gt=0, le=1)
    reg_lambda: float = Field(1.0, ge=0)
    positive_weight: float | Literal["balanced"] = Field(
        1.0, description="weight of a positive row; balanced: negatives per positive, repaired by calibration"
    )
    monotone: dict[str, Literal[-1, 0, 1]] = Field(
        default_factory=dict, description="feature: 1 if the score may only rise with it, -1 only fall"
    )
    logistic_reg_param: float = Field(0.01, ge=0)
    min_positives: int = Field(5, ge=1, description="fewest positive rows on any side of the split")


class Evaluation(Section):
    """How models are measured."""

    bootstrap: int = Field(200, ge=0, le=2000, description="replicates over users behind each interval")
    seed: int = 7
    min_slice_positives: int = Field(10, ge=1, description="a slice with fewer is not judged")


class Calibration(Section):
    """How scores become probabilities, fitted on the validation months."""

    method: Literal["auto", "isotonic", "platt", "none"] = Field(
        "auto", description="auto: isotonic from isotonic_positives on, Platt's two parameters below"
    )
    isotonic_positives: int = Field(1000, ge=1)


class Gate(Section):
    """When a challenger becomes the champion."""

    metric: Literal["roc_auc", "pr_auc", "log_loss", "brier"] = "roc_auc"
    confidence: float = Field(0.975, gt=0.5, lt=1, description="share of replicates it must win")
    max_calibration_error: float = Field(0.02, gt=0, description="beyond what chance alone gives")
    max_slice_drop: float = Field(0.1, gt=0, description="ROC AUC that no slice may lose")


class Policy(Section):
    """Which scored users are selected for an offer; no kind selects nobody."""

    kind: Literal["none", "budget", "precision", "value"] = "none"
    budget_users: int = Field(1000, ge=1, description="budget: so many users, best scores first")
    precision: float = Field(0.2, gt=0, le=1, description="precision: expected share of buyers to keep")
    value_of_sale: float = Field(20.0, gt=0, description="value: what a purchase brings, in any currency")
    cost_of_contact: float = Field(1.0, ge=0, description="value: what an offer costs, in the same currency")


class Scoring(Section):
    """What is written of each user."""

    reasons: int = Field(5, ge=0, le=50, description="strongest reasons kept for each user; 0: none")
    policy: Policy = Policy()


class Mlflow(Section):
    """Where runs and models go."""

    tracking_uri: str = Field(min_length=1)
    artifact_root: str | None = Field(None, description="unset: beside a SQLite file, else the server's own")
    experiment: str = Field("pozytywka-premium", pattern=r"^[\w .-]+$")
    model_name: str = Field("pozytywka-premium", pattern=r"^[\w .-]+$")


Rate = Annotated[float, Field(ge=0, le=0.5)]


class Dirt(Section):
    """Defects planted into a synthetic delivery: the chance of each per line that can have it."""

    lower_case_event_type: Rate = 0.0
    misspelt_advertisement: Rate = 0.0
    null_user_id: Rate = 0.0
    null_track_id: Rate = 0.0
    null_event_type: Rate = 0.0
    orphan_user: Rate = Field(0.0, description="whole sessions of a user that the users file lacks")
    orphan_track: Rate = Field(0.0, description="plays of a track that the tracks file lacks")
    repeated_like: Rate = 0.0
    second_purchase: Rate = 0.0
    bad_timestamp: Rate = 0.0
    null_favourite_genres: Rate = 0.0
    null_premium_user: Rate = 0.0
    stray_id: Rate = 0.0
    premium_without_purchase: Rate = 0.0
    purchase_without_premium: Rate = 0.0
    null_genres: Rate = 0.0
    minus_one_id: Rate = Field(0.0, description="artists and tracks")
    null_id: Rate = Field(0.0, description="tracks")
    null_id_artist: Rate = 0.0
    orphan_artist: Rate = 0.0
    zero_tempo: Rate = 0.0
    zero_audio: Rate = 0.0
    loud: Rate = Field(0.0, description="tracks above 0 dB")
    orphan_storage: Rate = 0.0
    broken_json: Rate = Field(0.0, description="all files")
    wrong_type: Rate = Field(0.0, description="all files")
    duplicate_row: Rate = Field(0.0, description="all files")


class Drift(Section):
    """How a synthetic world changes, for everyone and for good; nothing changes unless a month is given."""

    from_month: Month | None = None
    adverts: float = Field(1.5, gt=0, le=10, description="factor on everyone's chance of an advert")
    log_hazard: float = Field(0.0, ge=-5, le=5, description="added to the log of the purchase hazard")


class SyntheticExperiment(Section):
    """An experiment in a synthetic world with a known effect; none unless a month is given."""

    from_month: Month | None = None
    share: float = Field(0.5, gt=0, lt=1, description="chance of each user to be treated, for life")
    adverts: float = Field(0.7, ge=0, le=10, description="factor on the treated users' chance of an advert")
    log_hazard: float = Field(0.0, ge=-5, le=5, description="added to the log of their purchase hazard")


class Fraud(Section):
    """Rings of accounts that play the same few tracks over and over."""

    rings: int = Field(0, ge=0)
    accounts: int = Field(20, ge=2, le=500, description="of each ring")
    tracks: int = Field(6, ge=1, description="that a ring plays")


class Synthetic(Section):
    """The embedded Pozytywka."""

    users: int = Field(2000, ge=10)
    months: int = Field(14, ge=2)
    start: Month = date(2022, 1, 1)
    seed: int = Field(7, ge=0)
    tracks: int = Field(3000, ge=100)
    artists: int = Field(800, ge=50)
    played_tracks: int = Field(1000, ge=50, description="tracks that anyone ever plays")
    genres: int = Field(400, ge=50, le=4100, description="the first 50 can be someone's favourite")
    premium_share: float = Field(0.41925, gt=0, lt=0.95, description="share of users who buy before the end")
    truth_paths: int = Field(
        64, ge=0, description="simulated futures behind each true probability; 0 tells no probabilities"
    )
    dirt: Dirt = Dirt()
    drift: Drift = Drift()
    experiment: SyntheticExperiment = SyntheticExperiment()
    fraud: Fraud = Fraud()

    @model_validator(mode="after")
    def _starts_a_month(self) -> Synthetic:
        if self.start.day != 1:
            raise ValueError("synthetic.start must be the first of a month, such as 2022-01")
        if not self.played_tracks <= self.tracks or not self.artists <= self.tracks:
            raise ValueError("synthetic.played_tracks and synthetic.artists must be at most synthetic.tracks")
        if self.truth_paths == 1:
            raise ValueError("synthetic.truth_paths must be 0 or at least 2, for a standard error")
        if self.fraud.rings * self.fraud.accounts > self.users / 4:
            raise ValueError("synthetic.fraud: rings x accounts must be at most a quarter of synthetic.users")
        if self.fraud.tracks > self.played_tracks:
            raise ValueError("synthetic.fraud.tracks must be at most synthetic.played_tracks")
        return self


class Settings(Section):
    """All settings of a job, resolved."""

    env: Literal["local", "cluster"]
    home: str = Field(min_length=1, description="folder for everything that has no place of its own")
    raw: Raw = Raw()
    ingest: Ingest = Ingest()
    lake: LakeSettings
    spark: Spark = Spark()
    label: Label = Label()
    features: Features = Features()
    guards: Guards = Guards()
    split: Split = Split()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    calibration: Calibration = Calibration()
    gate: Gate = Gate()
    scoring: Scoring = Scoring()
    mlflow: Mlflow
    synthetic: Synthetic = Synthetic()

    @model_validator(mode="after")
    def _combinations(self) -> Settings:
        if self.label.name == "buys_ever" and not self.label.allow_censored:
            raise ValueError(
                "label.name=buys_ever is censored by the end of the data: "
                "set label.allow_censored=true to train on it, or use buys_within_horizon"
            )
        return self

    @property
    def raw_path(self) -> str:
        """The delivery to read: `raw.path`, else the embedded one's place."""
        return self.raw.path or f"{self.home}/raw"

    def resolved(self) -> dict[str, Any]:
        """Plain values of all settings, as logged with every run."""
        return self.model_dump(mode="json")


def conf_folder() -> Path:
    """The folder of YAML files: `$POZYTYWKA_CONF`, else `conf/` beside the package, else the working folder.

    The last is where spark-submit puts the files it ships to a driver on the cluster.
    """
    named = os.environ.get("POZYTYWKA_CONF")
    if named:
        return Path(named)
    beside = Path(__file__).resolve().parent.parent / "conf"
    return beside if beside.is_dir() else Path()


def load_settings(env: str = "local", overrides: Sequence[str] = (), conf: Path | None = None) -> Settings:
    """Settings of environment `env` with `key=value` overrides, later ones winning.

    Raises `UsageError`, one line that names the key and says what is allowed.
    """
    if env not in ENVIRONMENTS:
        raise UsageError(f"--env {env}: no such environment; one of: {', '.join(ENVIRONMENTS)}")
    folder = conf or conf_folder()
    values: dict[str, Any] = {"env": env}
    for name in ("base", env):
        _merge(values, _read_yaml(folder / f"{name}.yaml"))
    for override in overrides:
        _merge(values, _parse_override(override))
    return _validate(_with_defaults(values))


def _with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """Fill the places derived from others, so that the embedded data never mixes with real deliveries."""
    raw = values.get("raw")
    embedded = not (isinstance(raw, Mapping) and raw.get("path"))
    home = values.get("home") or (EMBEDDED_HOME if embedded else HOME)
    filled = {
        "home": home,
        "lake": {"root": f"{home}/lake"},
        "mlflow": {"tracking_uri": f"sqlite:///{home}/mlflow.db"},
    }
    _merge(filled, values)
    filled["home"] = home
    return filled


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"settings file {path} is missing; run from the project or set POZYTYWKA_CONF"
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"settings file {path} can't be read: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError(
            f"settings file {path}: expected 'section: {{key: value}}', got a {type(content).__name__}"
        )
    return content


def _parse_override(text: str) -> dict[str, Any]:
    key, separator, value = text.partition("=")
    path = key.strip().split(".")
    if not separator or not all(path):
        raise UsageError(f"--set {text}: expected key=value, such as label.horizon_days=14")
    if path[:2] == ["spark", "conf"] and len(path) > 2:
        path = ["spark", "conf", ".".join(path[2:])]  # Spark's own keys have dots in them
    try:
        nested: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        nested = value
    if isinstance(nested, date):
        nested = value
    for part in reversed(path):
        nested = {part: nested}
    return dict(nested)


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    """Lay `other` over `into`, section by section."""
    for key, value in other.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _validate(values: Mapping[str, Any]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise UsageError("; ".join(_in_words(dict(item)) for item in error.errors())) from None


def _in_words(error: Mapping[str, Any]) -> str:
    """One validation error as a clause that names the key and what is allowed."""
    location = [str(part) for part in error["loc"]]
    key = ".".join(location)
    if error["type"] == "extra_forbidden":
        return f"unknown setting {key}; {_allowed_keys(location[:-1])}"
    message = str(error["msg"]).removeprefix("Value error, ")
    if not key:
        return message
    if error["type"] == "missing":
        return f"setting {key} is missing"
    return f"setting {key}={error['input']!r}: {message[:1].lower()}{message[1:]}"


def _allowed_keys(section: Sequence[str]) -> str:
    model: Any = Settings
    for part in section:
        field = model.model_fields.get(part)
        model = field.annotation if field else None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return "no keys are allowed there"
    where = f"keys of {'.'.join(section)}" if section else "sections"
    return f"{where}: {', '.join(model.model_fields)}"

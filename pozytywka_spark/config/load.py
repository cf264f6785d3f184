"""From YAML files and the command line to settings: base, then the environment's, then `--set key=value`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from pozytywka_spark.config.override import override_value
from pozytywka_spark.config.settings import Settings
from pozytywka_spark.errors import UsageError

ENVIRONMENTS = ("local", "cluster")
EMBEDDED_HOME = "var/embedded"
HOME = "var"


def conf_folder() -> Path:
    """The folder of YAML files: `$POZYTYWKA_CONF`, else what spark-submit shipped, else the package's own.

    spark-submit puts shipped files into the working folder of a driver on the cluster. In a checkout the
    package's own is a link to `conf/`, whose files an installed package has as data.
    """
    named = os.environ.get("POZYTYWKA_CONF")
    if named:
        return Path(named)
    own = Path(__file__).resolve().parents[1] / "conf"
    shipped = "PYSPARK_GATEWAY_PORT" in os.environ and Path("base.yaml").is_file()
    # a package that is imported from an archive has no folder
    return own.resolve() if own.is_dir() and not shipped else Path()


def load_settings(env: str = "local", overrides: Sequence[str] = (), conf: Path | None = None) -> Settings:
    """Settings of environment `env` with `key=value` overrides, later ones winning.

    Raises `UsageError`, one line that names the key and says what is allowed.

    >>> settings = load_settings("local", ["label.horizon_days=14", "home=/data"])
    >>> settings.label.horizon_days, settings.lake.root
    (14, '/data/lake')
    >>> load_settings("local", ["label.horizon_days=soon"])
    Traceback (most recent call last):
        ...
    pozytywka_spark.errors.UsageError: setting label.horizon_days='soon': input should be a valid integer, ...
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


def settings_of(values: Mapping[str, Any], overrides: Sequence[str] = ()) -> Settings:
    """Settings of plain values (`Settings.resolved`) with overrides. Raises what `load_settings` does."""
    merged: dict[str, Any] = {}
    for layer in (values, *map(_parse_override, overrides)):
        _merge(merged, layer)
    return _validate(merged)


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
    nested: Any = override_value(path, value)
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

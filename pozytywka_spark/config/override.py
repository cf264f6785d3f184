"""Parse the value of `--set KEY=VALUE`: a text setting gets it as typed, any other is parsed as YAML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel

from pozytywka_spark.config.settings import Settings

_UNSET = ("", "null", "~")  # how `--set` unsets a setting that is no text; a text is unset by nothing


def override_value(path: Sequence[str], text: str) -> Any:
    """The value that `text` stands for at the setting of this path, for pydantic to check.

    A text setting gets the text as it stands: `#`, quotes, blanks at either end, `yes` and `null`
    are part of it; only an empty one unsets a setting that may be unset. A setting that takes text or
    numbers (`spark.conf`) gets a number or `true` where the text is exactly one. Others are YAML.

    >>> override_value(["label", "horizon_days"], "14"), override_value(["raw", "path"], "14")
    (14, '14')
    """
    types = set(_types_at(Settings, path))
    if str in types or (types and types <= {date, NoneType}):
        if types & {int, float, bool}:
            return _scalar(text)
        return None if text == "" and NoneType in types else text
    return _parsed(text)


def _types_at(annotation: Any, path: Sequence[str]) -> Iterator[type]:
    """The plain types that the setting may have; none if there is no such setting."""
    if get_origin(annotation) is Annotated:
        yield from _types_at(get_args(annotation)[0], path)
    elif get_origin(annotation) in (Union, UnionType):
        for each in get_args(annotation):
            yield from _types_at(each, path)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(path[0]) if path else None
        if field is not None:
            yield from _types_at(field.annotation, path[1:])
    elif get_origin(annotation) in (dict, Mapping):
        if path:
            yield from _types_at(get_args(annotation)[1], path[1:])
    elif not path:
        yield from map(type, get_args(annotation)) if get_origin(annotation) is Literal else [annotation]


def _scalar(text: str) -> Any:
    """A number or a truth value if the text is exactly one, else the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (int, float, bool)) else text


def _parsed(text: str) -> Any:
    """YAML, but for its odd numbers: 010 is no 8 and 1:30 no 90; such text is left to be checked."""
    if text.strip() in _UNSET:
        return None
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(value, date) or (is_number and isinstance(_scalar(text.strip()), str)):
        return text
    return value

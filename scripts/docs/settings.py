"""The reference of settings, read off their classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard, get_args, get_origin

from pydantic_core import PydanticUndefined

from pozytywka_spark.config import Settings
from pozytywka_spark.config.base import Section
from pozytywka_spark.config.decisive import marks
from scripts.docs.blocks import table


def settings() -> str:
    """A section a group of settings: name, type, default, meaning, what changes with it."""
    parts = [
        "Given as `--set section.key=value`, or in `conf/base.yaml`, `conf/local.yaml` and "
        "`conf/cluster.yaml`; later ones win. A text is taken as it is typed (`#`, quotes and blanks are "
        "part of it), other values are read as YAML; a wrong key or value is refused by name. What a run "
        "used is logged with it in MLflow. *Decides* names what comes out otherwise if the value is another: "
        "that is made anew, the rest is reused."
    ]
    parts += [_section(Settings, "", "General")]
    for name, field in Settings.model_fields.items():
        if _is_section(field.annotation):
            parts += list(_sections(field.annotation, f"{name}."))
    return "\n\n".join(parts)


def _sections(section: type[Section], prefix: str) -> Iterator[str]:
    yield _section(section, prefix, prefix.rstrip("."))
    for name, field in section.model_fields.items():
        if _is_section(field.annotation):
            yield from _sections(field.annotation, f"{prefix}{name}.")


def _section(section: type[Section], prefix: str, title: str) -> str:
    said = (section.__doc__ or "").strip().partition("\n")[0]
    rows = [
        {
            "setting": f"`{prefix}{name}`",
            "type": _type(field.annotation),
            "default": _default(field),
            "meaning": field.description or "",
            "decides": ", ".join(sorted(marks().get(f"{prefix}{name}") or ())),
        }
        for name, field in section.model_fields.items()
        if not _is_section(field.annotation)
    ]
    return f"## {title}\n\n{said}\n\n{table(rows)}" if rows else f"## {title}\n\n{said}"


def _is_section(annotation: Any) -> TypeGuard[type[Section]]:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "from `conf/`"
    if value is None:
        return "unset"
    if isinstance(value, tuple | dict | list) and not value:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(annotation: Any) -> str:
    """A type as one would say it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is None:
        names = {
            "str": "text",
            "int": "whole number",
            "float": "number",
            "bool": "true or false",
            "datetime": "time",
        }
        return names.get(
            getattr(annotation, "__name__", ""), getattr(annotation, "__name__", str(annotation))
        )
    if str(origin) == "typing.Literal":
        return "one of " + ", ".join(f"`{each}`" for each in inner)
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"{_type(inner[0])} to {_type(inner[1])}"
    parts = [_type(each) for each in inner if each is not type(None) and not _is_constraint(each)]
    return " or ".join(dict.fromkeys(parts))


def _is_constraint(each: Any) -> bool:
    return not isinstance(each, type) and get_origin(each) is None

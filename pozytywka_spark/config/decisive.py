"""Which settings decide a product: read off the mark that each setting bears where it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pydantic.fields import FieldInfo

from pozytywka_spark.config.base import Decides, Product, Section
from pozytywka_spark.config.settings import Settings


@lru_cache(maxsize=1)
def marks() -> dict[str, frozenset[str] | None]:
    """By dotted name, for every setting of every section: the products it decides; None without a mark."""
    return dict(_marks_of(Settings, None, ""))


def deciding(settings: Settings, *products: Product) -> dict[str, Any]:
    """By dotted name: plain values of the settings that decide one of `products`, in order of names.

    It is what an identity of such a product hashes of its settings.
    """
    named = frozenset(products)
    resolved = settings.resolved()
    return {name: _value(resolved, name) for name, mark in sorted(marks().items()) if mark and mark & named}


def _marks_of(
    section: type[Section], outer: Decides | None, prefix: str
) -> Iterator[tuple[str, frozenset[str] | None]]:
    default = section.section_decides or outer
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from _marks_of(inner, _own(field) or default, f"{prefix}{name}.")
        else:
            mark = _own(field) or default
            yield f"{prefix}{name}", None if mark is None else frozenset(map(str, _products(mark)))


def _own(field: FieldInfo) -> Decides | None:
    extra = field.json_schema_extra
    return extra if isinstance(extra, dict) and "decides" in extra else None


def _products(mark: Decides) -> list[Any]:
    products = mark["decides"]
    return products if isinstance(products, list) else []


def _value(resolved: dict[str, Any], name: str) -> Any:
    value: Any = resolved
    for part in name.split("."):
        value = value[part]
    return value

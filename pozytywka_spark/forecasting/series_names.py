"""What series are called among models: measure, city and genre group in one text."""

from __future__ import annotations

SEPARATOR, ESCAPED = "|", "\x1f"  # a city may be called anything


def series_name(measure: str, city: str, group_id: str) -> str:
    """The name of a series, as tasks have it.

    >>> series_name("plays", "Warszawa", "all")
    'plays|Warszawa|all'
    """
    return SEPARATOR.join((measure, city.replace(SEPARATOR, ESCAPED), group_id))


def place_of(name: str) -> tuple[str, str]:
    """City and genre group of a series, by its name.

    >>> place_of(series_name("plays", "a|b", "all"))
    ('a|b', 'all')
    """
    _, city, group_id = name.split(SEPARATOR)
    return city.replace(ESCAPED, SEPARATOR), group_id

"""What a store says of a view beside its values, and of services: enough for a reader that has no lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

from pozytywka_spark.errors import StoreError

Clock = Literal["data", "wall"]
DAY = 86_400_000_000  # microseconds
MISSING, PRESENT, EXPIRED = "missing", "present", "expired"  # what a key's value is at a moment
SERVICES = "services"  # the store's note of that name: each service's plain record, by name


@dataclass(frozen=True)
class ViewRecord:
    """A view as it was last written; written after its values, so that `table_version` is whole.

    `columns` in the order of the values' schema; `ttl` in microseconds, None for one that doesn't end;
    `clock` says what is now for who doesn't ask as of a moment: `newest` (data: the table's newest cut-off,
    microseconds) or the machine's time (wall). `notes`: whatever else the writer wants to find again, JSON.
    """

    view: str
    entity: str
    table: str
    columns: tuple[str, ...]
    number: Literal["float64", "float32"] = "float64"
    ttl: int | None = None
    kind: Literal["event", "snapshot"] = "event"
    clock: Clock = "data"
    newest: int = 0
    table_version: int = 0
    catalogue_hash: str = ""
    owner: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "columns": list(self.columns)}


def record_of(plain: Mapping[str, Any]) -> ViewRecord:
    """What `plain` gave. Raises `StoreError` where a field is missing or isn't one of this release's."""
    known = {entry.name for entry in fields(ViewRecord)}
    try:
        if set(plain) - known:
            raise TypeError(f"unknown: {', '.join(sorted(set(plain) - known))}")
        return ViewRecord(**{**plain, "columns": tuple(plain["columns"])})
    except (KeyError, TypeError) as error:
        raise StoreError(
            f"the store's record of view {plain.get('view')} isn't one of this release ({error}): "
            "materialize --full writes it anew"
        ) from None


@dataclass(frozen=True)
class ServiceRecord:
    """The columns that one consumer reads, of one view or several of the same entity, in its order."""

    service: str
    columns: tuple[tuple[str, str], ...]  # view and column
    catalogue_hash: str = ""

    @cached_property
    def by_view(self) -> Mapping[str, tuple[str, ...]]:
        """Of each view, as they come, its columns."""
        found: dict[str, tuple[str, ...]] = {}
        for view, column in self.columns:
            found[view] = (*found.get(view, ()), column)
        return found

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of its columns."""
        return tuple(column for _, column in self.columns)

    @property
    def views(self) -> tuple[str, ...]:
        """Each view once, as they come."""
        return tuple(self.by_view)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "service": self.service,
            "columns": [list(pair) for pair in self.columns],
            "catalogue_hash": self.catalogue_hash,
        }


def service_of(plain: Mapping[str, Any]) -> ServiceRecord:
    """What `plain` gave."""
    columns = tuple((str(view), str(column)) for view, column in plain["columns"])
    return ServiceRecord(str(plain["service"]), columns, str(plain.get("catalogue_hash", "")))

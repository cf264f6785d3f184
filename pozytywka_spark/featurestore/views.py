"""What views and services are: named columns of one table by key, and what one consumer reads of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pozytywka_spark.errors import GuardError, UsageError
from pozytywka_spark.hashing.fingerprints import fingerprint_of

Entity = Literal["user", "track", "artist"]
Kind = Literal["event", "snapshot"]
Dtype = Literal["float64", "float32"]
# How a row's moment of being known follows from it: the cut-off of its month, or it is of no known time
Known = Literal["cut-off", "always"]
# How a table's rows become a view's: one from one, or all of a key's together (`rows.py`)
Made = Literal["row", "trailing plays", "artist"]
# What callers name the key by, in a spine and in answers
KEY_NAMES: Mapping[Entity, str] = {"user": "user_id", "track": "track_id", "artist": "artist_id"}


@dataclass(frozen=True)
class Column:
    """A value of a view, a double or null. `source`: the table's column where it bears another name."""

    name: str
    meaning: str
    unit: str = ""
    source: str = ""

    @property
    def origin(self) -> str:
        """The column of the table, where there is one for it."""
        return self.source or self.name


@dataclass(frozen=True)
class View:
    """Values by key and moment, from one table of the lake.

    `catalogue_hash`: of the features that a model was given for its rows, or is; empty of other tables.
    `key`: the table's column that holds it. A value is valid from the moment it is known for `ttl_days`, for
    ever without. `champion`: of the table only the rows of the model that bears this alias now.
    """

    name: str
    meaning: str
    entity: Entity
    key: str
    table: str
    columns: tuple[Column, ...]
    ttl_days: int | None
    kind: Kind
    owner: str
    known: Known = "cut-off"
    dtype: Dtype = "float64"
    made: Made = "row"
    champion: bool = False
    fresh_days: int | None = None  # promised: how old at most the newest row is by the clock
    catalogue_hash: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of its columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def key_name(self) -> str:
        """What callers name the key by."""
        return KEY_NAMES[self.entity]

    @property
    def by_month(self) -> bool:
        """Whether it has a row a key and month, not one a key."""
        return self.known == "cut-off"

    def definition(self, *facts: object) -> str:
        """Names all that decides its values but for the table's rows: another definition, other values."""
        stated = [self.entity, self.key, self.table, self.known, self.dtype, self.made, self.champion]
        return fingerprint_of([*stated, [[each.name, each.origin] for each in self.columns], *facts])


@dataclass(frozen=True)
class Part:
    """What a service reads of one view: columns, in order."""

    view: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """The columns that one consumer reads, of views of one entity; names are unique among them.

    `catalogue_hash`: of the features that it stands for, where a model reads it; empty otherwise.
    """

    name: str
    meaning: str
    owner: str
    parts: tuple[Part, ...]
    catalogue_hash: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All names in the order in which they are answered."""
        return tuple(name for part in self.parts for name in part.columns)

    def check_model(self, model: str, features: tuple[str, ...], catalogue_hash: str) -> None:
        """Raise `GuardError` if a model reads other features than the service has, in order or meaning."""
        if self.catalogue_hash != catalogue_hash:
            raise GuardError(
                f"service {self.name}: {model} was trained on the catalogue {catalogue_hash[:12]}, the "
                f"service is of {self.catalogue_hash[:12]}: train again, or serve with the release that "
                "trained it"
            )
        if self.columns != features:
            other = next(
                (ours, theirs)
                for ours, theirs in zip((*self.columns, None), (*features, None), strict=False)
                if ours != theirs
            )
            raise GuardError(
                f"service {self.name}: {model} reads its features in another order: {other[1]} where the "
                f"service has {other[0]}; train again, or serve with the release that trained it"
            )


@dataclass(frozen=True)
class Declared:
    """All views and services, by name."""

    views: Mapping[str, View]
    services: Mapping[str, Service]

    def view(self, name: str) -> View:
        """The view of that name. Raises `UsageError` naming those there are."""
        if name not in self.views:
            raise UsageError(f"no view {name}: there are {', '.join(self.views)}")
        return self.views[name]

    def service(self, name: str) -> Service:
        """The service of that name. Raises `UsageError` naming those there are."""
        if name not in self.services:
            raise UsageError(f"no service {name}: there are {', '.join(self.services)}")
        return self.services[name]

    def entity_of(self, service: Service) -> Entity:
        """Whose key a service is asked by."""
        return self.view(service.parts[0].view).entity

    def consumers(self, view: str) -> tuple[str, ...]:
        """Names of the services that read a view."""
        return tuple(each.name for each in self.services.values() if view in {p.view for p in each.parts})


def check_declared(declared: Declared) -> None:
    """Raise `UsageError` naming a service whose view, column or key is none, or a view that repeats one."""
    for view in declared.views.values():
        twice = {name for name in view.names if view.names.count(name) > 1}
        if twice:
            raise UsageError(f"view {view.name}: {', '.join(sorted(twice))} is declared twice")
    for service in declared.services.values():
        _check_service(declared, service)


def _check_service(declared: Declared, service: Service) -> None:
    for part in service.parts:
        if part.view not in declared.views:
            raise UsageError(
                f"service {service.name}: no view {part.view}: there are {', '.join(declared.views)}"
            )
        view = declared.views[part.view]
        for name in part.columns:
            if name not in view.names:
                raise UsageError(f"service {service.name}: view {view.name} has no column {name}")
        if view.entity != declared.entity_of(service):
            raise UsageError(
                f"service {service.name}: view {view.name} is of a {view.entity}, the ones before of a "
                f"{declared.entity_of(service)}: a service has one key"
            )
    if len(set(service.columns)) < len(service.columns):
        raise UsageError(f"service {service.name}: two of its columns bear one name")

"""What a data set was made of and what it came to: a text from which the same bytes can be made again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from pozytywka_spark.errors import DataError
from pozytywka_spark.hashing.fingerprints import fingerprint_of

FORMAT = 1
Part = TypeVar("Part")


@dataclass(frozen=True)
class SpineRead:
    """The spine: where it was, SHA-256 of its bytes, and which columns hold its keys."""

    path: str
    sha256: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class ViewRead:
    """What was read of a view: columns, of a version of its table.

    `definition` names how its rows are made and how long they serve, `identity` the table, which is another
    once it was made anew; `model` is the champion's name and version then, of a view that has its rows.
    """

    view: str
    columns: tuple[str, ...]
    definition: str
    table: str
    identity: str
    version: int
    model: tuple[str, int] | None = None


@dataclass(frozen=True)
class Recipe:
    """All that decides the rows of a data set."""

    spine: SpineRead
    views: tuple[ViewRead, ...]
    delay_hours: float
    service: str | None = None
    catalogue_hash: str = ""  # of the features, where a service stands for a model's

    @property
    def dataset_id(self) -> str:
        """Names the rows: another path of the same spine makes no other."""
        content = asdict(self)
        del content["spine"]["path"]
        return fingerprint_of([FORMAT, content], sort_keys=True)


@dataclass(frozen=True)
class FileMade:
    """A file of the data set."""

    file: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A data set as it was made: its files in order, rows by view and status, the libraries that wrote it."""

    recipe: Recipe
    files: tuple[FileMade, ...]
    statuses: Mapping[str, Mapping[str, int]]
    made_with: Mapping[str, str]

    @property
    def rows(self) -> int:
        """Of all its files."""
        return sum(file.rows for file in self.files)

    def as_text(self) -> str:
        """JSON for people too; the same data set has the same text."""
        content = {"format": FORMAT, "dataset_id": self.recipe.dataset_id, **asdict(self)}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def manifest_of(text: str, place: str) -> Manifest:
    """The manifest of a text. Raises `DataError` naming its place if it is none, or of another format."""
    try:
        content = json.loads(text)
        known = content["format"]
        recipe = content["recipe"]
        views = tuple(_part(ViewRead, view) for view in recipe["views"])
        made = Manifest(
            _part(Recipe, {**recipe, "spine": _part(SpineRead, recipe["spine"]), "views": views}),
            tuple(_part(FileMade, file) for file in content["files"]),
            content["statuses"],
            content["made_with"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{place} is no manifest of a data set: expected its _manifest.json") from error
    if known != FORMAT or content.get("dataset_id") != made.recipe.dataset_id:
        raise DataError(
            f"{place}: the manifest was changed by hand, or is of another release (format {known}, "
            f"expected {FORMAT}): make the data set with the release that it came from"
        )
    return made


def _part(kind: type[Part], content: Mapping[str, Any]) -> Part:
    """A dataclass from JSON: lists are tuples, and nothing is missing or beyond it."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # a dataclass, all that come here
    if set(content) != names:
        raise KeyError(f"{kind.__name__}: {set(content) ^ names}")
    return kind(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}
    )

"""The settings that a lake's tables were made with, in a file beside them: readers needn't say them again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pozytywka_spark.config import Settings, settings_of
from pozytywka_spark.errors import UsageError
from pozytywka_spark.lake.storage.paths import absolute
from pozytywka_spark.names import SQLITE
from pozytywka_spark.reports.files import write_whole

NAME = "_settings.json"
FORMAT = 1
_ANOTHER = "of another release, don't fit this one; run the ingest job, which writes them anew"
_PLACES = (("home",), ("raw", "path"), ("lake", "root"), ("lake", "staging"), ("mlflow", "artifact_root"))
_SECRET = re.compile(r"password|secret|token|credential|access.?key", re.IGNORECASE)


def record_settings(settings: Settings) -> None:
    """Write the settings into the lake's folder (of a lake that is no folder: into `home`), places absolute.

    Only what differs from the defaults, so that a later release's defaults hold for older lakes too. No
    secrets are written: neither Spark's keys that name one, nor users in addresses. Where nothing can be
    written nothing is: readers then say the settings themselves.
    """
    values = settings.model_dump(mode="json", exclude_defaults=True)
    conf = values.get("spark", {}).get("conf", {})
    for key in [key for key in conf if _SECRET.search(key)]:
        del conf[key]
    uri = re.sub(r"//[^/@\s]+@", "//", values["mlflow"]["tracking_uri"])
    values["mlflow"]["tracking_uri"] = uri
    _with_places(values, absolute)
    path = _folder_of(values) / NAME
    text = json.dumps({"format": FORMAT, "settings": values}, indent=1, ensure_ascii=False) + "\n"
    with suppress(OSError):
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return
        write_whole(path, text)


def recorded_settings(place: str, overrides: Sequence[str] = ()) -> Settings | None:
    """The settings beside the lake at `place` (the lake or its home) and `overrides`; None if there are none.

    Where home and lake have been moved together since, places below them are the new ones. Raises
    `UsageError` naming the file if it can't be read, and what `load_settings` raises for overrides.
    """
    home = Path(absolute(place))
    lake_folder = next((folder for folder in (home, home / "lake") if (folder / NAME).is_file()), None)
    if lake_folder is None:
        return None
    values = _read(lake_folder / NAME)
    before = str(_folder_of(values))
    home_before = values["home"]
    _with_places(values, lambda path: _moved(path, before, str(lake_folder), home_before))
    try:
        settings_of(values)
    except UsageError as error:
        raise UsageError(f"settings {lake_folder / NAME}, {_ANOTHER}: {error}") from None
    return settings_of(values, overrides)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] == FORMAT:
            return dict(content["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"settings {path} can't be read: {' '.join(str(error).split())}") from None
    raise UsageError(f"settings {path}, {_ANOTHER}")


def _folder_of(values: dict[str, Any]) -> Path:
    root = values["lake"]["root"]
    return Path(values["home"]) if _is_address(root) else Path(root)


def _with_places(values: dict[str, Any], change: Callable[[str], str]) -> None:
    """Every local path among the values as `change` has it."""
    for path in _PLACES:
        inside = values
        for section in path[:-1]:
            inside = inside.get(section, {})
        place = inside.get(path[-1])
        if place is not None and not _is_address(place):
            inside[path[-1]] = change(place)
    uri = values["mlflow"]["tracking_uri"]
    if uri.startswith(SQLITE):
        file, mark, options = uri.removeprefix(SQLITE).partition("?")
        values["mlflow"]["tracking_uri"] = f"{SQLITE}{change(file)}{mark}{options}"


def _moved(place: str, before: str, now: str, home: str) -> str:
    """`place` after the lake's move from `before` to `now`, which took along its home if it lies in it."""
    if before != now and before.startswith(f"{home}/") and now.endswith(before.removeprefix(home)):
        before, now = home, now.removesuffix(before.removeprefix(home))
    return now + place.removeprefix(before) if place == before or place.startswith(f"{before}/") else place


def _is_address(place: str) -> bool:
    return re.match(r"^\w+:/", place) is not None

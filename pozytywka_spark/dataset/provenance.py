"""The provenance of a model: inputs, settings, code. Equal provenance, equal model."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings, deciding
from pozytywka_spark.config.base import Product
from pozytywka_spark.hashing.fingerprints import LONG, fingerprint_of
from pozytywka_spark.lake.api import Lake

PACKAGES = ("xgboost", "numpy", "pandas", "scikit-learn", "pyspark", "optuna")
# whose code decides what a training makes, and what the gate thinks of it
ROOMS = ("dataset", "dossier", "evaluation", "models", "promotion", "tracking", "training")
TRAINED: tuple[Product, ...] = ("model", "report")  # what a training makes


def package_versions() -> dict[str, str]:
    """Versions of the libraries that a model depends on."""
    return dict(_package_versions())


@lru_cache(maxsize=1)
def _package_versions() -> tuple[tuple[str, str], ...]:
    """Read once: each is a file of a few hundred lines that is parsed as an e-mail."""
    return tuple((name, version(name)) for name in PACKAGES)


@lru_cache(maxsize=1)
def code_hash() -> str:
    """SHA-256 of the sources of `ROOMS`, as they are when the process first asks."""
    digest = hashlib.sha256()
    package = files("pozytywka_spark")
    for name, content in sorted(part for room in ROOMS for part in _sources(package / room, f"{room}/")):
        digest.update(name.encode())
        digest.update(content)
    return digest.hexdigest()


def _sources(folder: Traversable, above: str) -> Iterator[tuple[str, bytes]]:
    """Sources by relative path, in a wheel as in a folder: on a cluster the package is never unpacked."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield f"{above}{entry.name}", entry.read_bytes()


def git_commit() -> str | None:
    """The commit of the project, with `+changes` if the tree differs from it; None outside a repository."""
    folder = Path(__file__).resolve().parent
    try:
        head = _git(folder, "rev-parse", "HEAD")
        return head + ("+changes" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def table_versions(lake: Lake, more: Sequence[str] = ()) -> dict[str, int]:
    """The Delta version of every table that a model's rows come from, now; of `more` tables too."""
    names = [*(table.name for table in schemas.SILVER), *more, "user_month", "features", "labels"]
    return {name: lake.version(name) for name in names if lake.exists(name)}


def fingerprint(
    settings: Settings,
    order: Sequence[str],
    catalogue: str,
    content: str,
    products: Sequence[Product] = TRAINED,
) -> str:
    """A digest of all that decides what a training makes: rows, features, settings, code and libraries.

    The rows count by content, not by the table's version: rewriting a table with the same rows, or
    moving the lake, doesn't ask for another model. Of the settings those count that are marked as
    deciding one of `products`, and those of the search for parameters if there is one.
    """
    searched: tuple[Product, ...] = ("search",) if settings.tuning.enabled else ()
    decisive = {
        "content": content,
        "features": list(order),
        "catalogue": catalogue,
        "settings": deciding(settings, *products, *searched),
        "code": code_hash(),
        "packages": package_versions(),
    }
    return fingerprint_of(decisive, LONG, sort_keys=True)


def _git(folder: Path, *command: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *command], capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()

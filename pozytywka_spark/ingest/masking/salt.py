"""The lake's salt: a secret that names are hashed with. It lies in no table and not in the lake."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.schemas import NAME_WORDS

ENVIRONMENT = "POZYTYWKA_FEEDBACK_SALT"
FILE = "secrets/feedback_salt"
_SHORTEST = 16


def salt_of(settings: Settings, lake: Lake) -> bytes:
    """32 bytes made of the environment's variable, or else of the file; which is made if there is none.

    Raises `UsageError` if neither can be had, or if the lake's names were hashed with another salt.
    """
    hashed = lake.exists(NAME_WORDS.name)
    salt = hashlib.sha256(_secret(settings, may_make=not hashed).encode()).digest()
    if hashed and lake.txn_version(NAME_WORDS.name, stream_of(salt)) is None:
        raise UsageError(
            f"lake {lake.root}: its names were hashed with another salt than that of {_place(settings)}; "
            f"give that one back, as a file or as {ENVIRONMENT}; a new one: docs/how-to/take-feedback.md"
        )
    return salt


def stream_of(salt: bytes) -> str:
    """The app of transactions on `name_words`: it tells one salt from another, and nothing of either."""
    return f"{NAME_WORDS.name}-{hashlib.sha256(b'stream' + salt).hexdigest()[:16]}"


def salt_path(settings: Settings) -> Path:
    """Where the file is, or would be."""
    return Path(settings.feedback.salt_file or f"{settings.home}/{FILE}")


def _secret(settings: Settings, *, may_make: bool) -> str:
    said = os.environ.get(ENVIRONMENT)
    if said is not None:
        return _long_enough(said.strip(), ENVIRONMENT)
    path = salt_path(settings)
    if "://" in str(settings.feedback.salt_file or settings.home):
        raise UsageError(
            f"{path}: the salt of users' names is a file on a disk; name one as feedback.salt_file, "
            f"or set {ENVIRONMENT}"
        )
    try:
        if not path.exists():
            if not may_make:
                raise UsageError(
                    f"{path}: no such file; it holds the salt that this lake's names were hashed with: "
                    f"give it back, or set {ENVIRONMENT}"
                )
            _make(path)
        return _long_enough(path.read_text(encoding="utf-8").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the salt of users' names can't be read or made: {error}") from error


def _make(path: Path) -> None:
    """The one random thing of this project: nobody may be able to guess it. Only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    own.touch(0o600)
    try:
        own.write_text(secrets.token_hex(32) + "\n", encoding="utf-8")
        try:
            os.link(own, path)  # never over one that another made meanwhile
        except FileExistsError:
            return
    finally:
        own.unlink()


def _long_enough(secret: str, place: str) -> str:
    if len(secret) < _SHORTEST:
        raise UsageError(f"{place}: a salt of {len(secret)} characters; expected {_SHORTEST} at least")
    return secret


def _place(settings: Settings) -> str:
    return ENVIRONMENT if ENVIRONMENT in os.environ else str(salt_path(settings))

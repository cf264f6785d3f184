"""The user of this process as Java sees it: by the entry in the system's list, never by `$HOME`."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from pozytywka_spark.errors import PozytywkaError


def named_home() -> Path:
    """The home folder that the system's list of users gives this process; it need not exist.

    Raises `PozytywkaError` where the list has no such user, as in a container that is run under some number:
    Hadoop, in Spark's JVM, then doesn't start, and says only that a name is null.
    """
    user = os.getuid()
    try:
        return Path(pwd.getpwuid(user).pw_dir)
    except KeyError:
        raise PozytywkaError(
            f"Spark did not start: user {user} has no entry in /etc/passwd, which Java asks; add one, or run "
            "as a user who has one (scripts/image/entrypoint.sh makes one up)"
        ) from None


def downloads_folder(home: Path, fallback: Path) -> Path | None:
    """Where Spark is to keep downloaded jars, if its usual place in the home folder can't be written."""
    existing = next((folder for folder in (home, *home.parents) if folder.exists()), home)
    return None if os.access(existing, os.W_OK) else fallback / "ivy"

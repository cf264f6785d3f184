"""The file of rules that is in force."""

from __future__ import annotations

import pkgutil
from pathlib import Path

from pozytywka_spark.config import Settings, conf_folder
from pozytywka_spark.errors import UsageError
from pozytywka_spark.fraud.declared.catalogue import NAMES
from pozytywka_spark.fraud.rules.grammar import Rule, parse_rules

NAME = "rules.yaml"


def read_rules(settings: Settings, file: str | None = None) -> tuple[Rule, ...]:
    """The rules of `file`; unset, of `fraud.rules`, else of rules.yaml beside the settings.

    Raises `UsageError` naming file and line.
    """
    named = file or settings.fraud.rules
    path = Path(named) if named else conf_folder() / NAME
    try:
        # a folder of settings need not have one, and a package in an archive has no folder
        shipped = None if named or path.is_file() else pkgutil.get_data("pozytywka_spark", f"conf/{NAME}")
        text = path.read_text(encoding="utf-8") if shipped is None else shipped.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"rules {path} can't be read: {' '.join(str(error).split())}") from None
    return parse_rules(text, str(path), NAMES)

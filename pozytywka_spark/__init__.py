"""Pozytywka on Spark: who is likely to buy premium, what to do about it, and did it work.

    import pozytywka_spark as pz

    p = pz.open("var/embedded")
    p.features().to_pandas()
    p.train()

Names are imported as they are first used: importing the package costs nothing, neither Spark nor settings.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pozytywka_spark.config import Settings, load_settings
    from pozytywka_spark.errors import (
        DataError,
        GuardError,
        LakeError,
        PozytywkaError,
        TrackingError,
        UsageError,
    )
    from pozytywka_spark.library.catalogue import Catalogue, catalogue
    from pozytywka_spark.library.experiment import Experiment
    from pozytywka_spark.library.model import Model
    from pozytywka_spark.library.opening import open
    from pozytywka_spark.library.pozytywka import Pozytywka
    from pozytywka_spark.library.table import LakeTable

__version__ = "0.9.0"

__all__ = [
    "Catalogue",
    "DataError",
    "Experiment",
    "GuardError",
    "LakeError",
    "LakeTable",
    "Model",
    "Pozytywka",
    "PozytywkaError",
    "Settings",
    "TrackingError",
    "UsageError",
    "__version__",
    "catalogue",
    "load_settings",
    "open",
]

_HOME = {
    "Catalogue": "library.catalogue",
    "catalogue": "library.catalogue",
    "Experiment": "library.experiment",
    "Model": "library.model",
    "open": "library.opening",
    "Pozytywka": "library.pozytywka",
    "LakeTable": "library.table",
    "Settings": "config",
    "load_settings": "config",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    exported = getattr(import_module(f"{__name__}.{_HOME.get(name, 'errors')}"), name)
    globals()[name] = exported
    return exported


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

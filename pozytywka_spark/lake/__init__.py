"""Delta tables behind one interface with two engines.

Engines and settings are loaded when a lake is first opened: tasks need neither, and their workers would wait
for both.
"""

from typing import TYPE_CHECKING, Any

from pozytywka_spark.lake.api import Commit, Lake, Partition, Txn

if TYPE_CHECKING:
    from pozytywka_spark.lake.open import open_any_lake, open_lake

__all__ = ["Commit", "Lake", "Partition", "Txn", "open_any_lake", "open_lake"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pozytywka_spark.lake import open as opening

    return getattr(opening, name)

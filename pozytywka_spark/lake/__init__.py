"""Delta tables behind one interface with two engines."""

from pozytywka_spark.lake.api import Commit, Lake, Partition, Txn
from pozytywka_spark.lake.open import open_any_lake, open_lake

__all__ = ["Commit", "Lake", "Partition", "Txn", "open_any_lake", "open_lake"]

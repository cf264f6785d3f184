"""The online store: LMDB in a folder, or a Redis; one value per view and key.

    with open_store("lmdb:var/featurestore", project="pozytywka") as store:
        epoch = store.begin("user_month")
        store.write_many("user_month", ["101"], [value], epoch)
        store.get_many("user_month", ["101", "102"])

Values are written under an epoch: who began last writes, who began before is refused from then on. A writer
that begins before it reads the table's newest version therefore never puts a newer value under an older one,
and a killed writer's tasks that are still alive can't either.
"""

from pozytywka_spark.featurestore.stores.api import OvertakenError, Size, Store
from pozytywka_spark.featurestore.stores.opening import PROJECT, open_store

__all__ = ["PROJECT", "OvertakenError", "Size", "Store", "open_store"]

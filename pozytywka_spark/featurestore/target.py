"""The online store that settings name, for this process and for tasks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pozytywka_spark.featurestore.stores import Store


@dataclass(frozen=True)
class Target:
    """What a task needs to reach the store: the password is in its environment, never in what is sent."""

    address: str
    password_variable: str
    epoch: int = 0

    def open(self, *, create: bool = False) -> Store:
        """The store. Raises `StoreError` where it doesn't answer, or is another project's."""
        from pozytywka_spark.featurestore.stores import open_store

        password = os.environ.get(self.password_variable)
        return open_store(self.address, password=password, create=create)

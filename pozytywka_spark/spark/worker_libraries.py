"""How both daemons of Python workers load what their workers share, and begin to serve Spark."""

from __future__ import annotations

import gc
from importlib import import_module


def load(*modules: str) -> None:
    """Import them. They stay, so no garbage is looked for meanwhile."""
    gc.disable()
    for name in modules:
        import_module(name)
    gc.enable()


def serve() -> None:
    """Fork workers for Spark, until it ends."""
    from pyspark import daemon

    gc.freeze()  # a worker collects garbage after each task: there is none in what all of them share
    daemon.manager()

"""How many threads XGBoost uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def threads_of(threads: int) -> Iterator[None]:
    """Lets XGBoost use so many: Spark starts its workers with OMP_NUM_THREADS=1, which caps nthread."""
    import xgboost  # noqa: F401 before the limit, which holds for libraries that are loaded
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads, user_api="openmp"):
        yield

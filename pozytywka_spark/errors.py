"""Errors that a person reads: one line naming the thing, what was expected and what to do."""

from collections.abc import Mapping
from importlib.util import find_spec


class PozytywkaError(Exception):
    """Something failed that the user can act on; a job prints it as one line and exits with `exit_code`."""

    exit_code = 1


class UsageError(PozytywkaError):
    """The command line or the settings are wrong: exit code 2."""

    exit_code = 2


class DataError(PozytywkaError):
    """The data at hand can't serve: a missing file, an absent column, an empty month."""


class LakeError(PozytywkaError):
    """A table can't be read or written as asked."""


class GuardError(PozytywkaError):
    """A guard found leakage or a broken invariant; the message names the guard, the feature and a row."""


class TrackingError(PozytywkaError):
    """MLflow can't be reached, or holds no such model."""


class StoreError(PozytywkaError):
    """The online store can't be reached, is full, holds what isn't ours, or holds it damaged."""


# What a base install leaves out, by extra: the packages that each brings
EXTRAS: Mapping[str, tuple[str, ...]] = {
    "tuning": ("optuna",),
    "simulation": ("pymoo",),
    "experiments": ("statsmodels",),
    "featurestore": ("lmdb", "redis", "prometheus_client"),  # FastAPI and uvicorn come with MLflow
    "forecasting": ("statsforecast", "mlforecast", "hierarchicalforecast", "statsmodels", "holidays"),
    "topics": ("py3langid", "igraph"),
    "delta-spark": ("delta",),
}


def require(extra: str) -> None:
    """Raise `UsageError` naming the extra if one of its packages isn't installed; imports none of them."""
    for package in EXTRAS[extra]:
        try:
            spec = find_spec(package)
        except ValueError:  # of a module that was put there without one
            spec = None
        if spec is None:
            raise UsageError(
                f"the package {package} isn't installed, which is part of the extra {extra}: "
                f"pip install 'pozytywka-spark[{extra}]'"
            )

"""Errors that a person reads: one line naming the thing, what was expected and what to do."""


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

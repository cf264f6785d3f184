"""An Optuna study on disk: asked in waves, told in order, resumed after a kill."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import TrackingError


class Study:
    """A thin hand on Optuna's study. Trials that ended (completed or pruned) are what its state is."""

    def __init__(self, study: Any, address: str, settings: Settings) -> None:
        self._study = study
        self._wanted = settings.tuning
        self.address = address

    @property
    def finished(self) -> int:
        """Trials that completed or were pruned."""
        return len(self._ended())

    @property
    def completed(self) -> int:
        """Trials that were fitted on all folds."""
        return sum(trial.state.name == "COMPLETE" for trial in self._ended())

    def ask(self, size: int, first: Mapping[str, float | int]) -> list[Any]:
        """So many new trials; the very first of a study has the parameters `first`.

        The sampler starts anew each time, from the seed and the number of finished trials: its state lies
        in the study alone, not in a process that may be killed.
        """
        from optuna.samplers import TPESampler

        finished = self.finished
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `multivariate` is marked experimental
            self._study.sampler = TPESampler(
                seed=self._wanted.seed + 1000 * finished,
                n_startup_trials=self._wanted.startup_trials,
                multivariate=True,
                constant_liar=True,
            )
        if finished == 0:
            self._study.enqueue_trial(dict(first))
        return [self._study.ask() for _ in range(size)]

    def end(self, trial: Any, log_loss: float | None) -> None:
        """The trial went through all folds with that mean loss, or (None) was given up on the way."""
        from optuna.trial import TrialState

        if log_loss is None:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, log_loss)

    def drop_unfinished(self) -> None:
        """Trials that a killed process left running never count."""
        from optuna.trial import TrialState

        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL)

    def best(self) -> dict[str, Any]:
        """Parameters and log loss of the best completed trial."""
        trial = self._study.best_trial
        return {"parameters": dict(trial.params), "log_loss": float(trial.value)}

    def log_loss_of(self, parameters: Mapping[str, float | int]) -> float | None:
        """The log loss of the completed trial with those parameters, None if there is none."""
        for trial in self._ended():
            if trial.state.name == "COMPLETE" and dict(trial.params) == dict(parameters):
                return float(trial.value)
        return None

    def rows(self) -> list[dict[str, Any]]:
        """A row a finished trial, in the order they were drawn, numbered from 1 whatever was dropped."""
        return [
            {
                "trial": place,
                "state": trial.state.name.lower(),
                "log_loss": _mean(trial),
                "fold_log_loss": list(trial.user_attrs.get("fold_log_loss", [])),
                "fold_trees": list(trial.user_attrs.get("fold_trees", [])),
                "parameters": dict(trial.params),
            }
            for place, trial in enumerate(self._ended(), 1)
        ]

    def _ended(self) -> list[Any]:
        from optuna.trial import TrialState

        return list(self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def open_study(settings: Settings, name: str) -> Study:
    """The study of that name, made if absent. Raises `TrackingError` if `tuning.storage` can't keep it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    address = settings.tuning.storage or str(Path(settings.home).absolute() / "tuning" / "studies.journal")
    pruner = optuna.pruners.MedianPruner(n_startup_trials=max(2, settings.tuning.startup_trials // 2))
    try:
        study = optuna.create_study(
            storage=_storage(address),
            study_name=name,
            direction="minimize",
            pruner=pruner,
            load_if_exists=True,
        )
    except Exception as error:  # SQLAlchemy's, the file system's and Optuna's have no common root
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise TrackingError(
            f"can't keep the tuning study in {address}: {lines[0][:200]}; "
            "set tuning.storage to a writable journal file or a database's address"
        ) from error
    return Study(study, address, settings)


def _storage(address: str) -> Any:
    """A database's address as it is; anything else is a journal file."""
    if "://" in address:
        return address
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    Path(address).parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(address))


def _mean(trial: Any) -> float | None:
    losses = trial.user_attrs.get("fold_log_loss", [])
    return sum(losses) / len(losses) if losses else None

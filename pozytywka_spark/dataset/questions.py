"""Questions put to the training table: functions of it that run where it is, in this process or in tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol, TypeVar

from pozytywka_spark.dataset.table import TrainingTable

Answer = TypeVar("Answer")
# A function of a module, or a `functools.partial` of one: it is sent to a task, its answer is sent back, so
# both are small: settings, metrics, a model; never rows.
Question = Callable[[TrainingTable], Answer]


class Asked(Protocol):
    """The training table, wherever it lies: put down once, loaded once a process."""

    def ask(self, questions: Sequence[Question[Answer]], *, threads: int = 1) -> list[Answer]:
        """Each question's answer, in their order. Questions run beside each other as far as there are slots;
        each may use `threads` of its machine.

        Small tables are answered by this process, without a job.
        """


class Here:
    """Implements `Asked` in this process: what tests use, and small tables."""

    def __init__(self, table: TrainingTable) -> None:
        self._table = table

    def ask(self, questions: Sequence[Question[Answer]], *, threads: int = 1) -> list[Answer]:
        """See `Asked`."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(threads):
            return [question(self._table) for question in questions]


class Later:
    """Implements `Asked` by a table that is put down at the first question, if there is one."""

    def __init__(self, opened: Callable[[], AbstractContextManager[Asked]]) -> None:
        self._opened, self._stack = opened, ExitStack()
        self._asked: Asked | None = None

    def __enter__(self) -> Later:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.close()

    def ask(self, questions: Sequence[Question[Answer]], *, threads: int = 1) -> list[Answer]:
        """See `Asked`."""
        if self._asked is None:
            self._asked = self._stack.enter_context(self._opened())
        return self._asked.ask(questions, threads=threads)

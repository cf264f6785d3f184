"""Questions to a training table that was put down: answered by this process, or by the tasks of one job."""

from __future__ import annotations

import base64
import pickle
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pozytywka_spark.dataset.load_table import StagedTable, load, loaded
from pozytywka_spark.dataset.questions import Answer, Question
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles, Tasks

if TYPE_CHECKING:
    import polars as pl

_BYTES_A_CELL = 4
_WORTH_A_TASK = 16 << 20  # a question is, however small the table


class TableTasks:
    """Implements `Asked`. On one machine this process answers by itself for a table of up to `small_bytes`,
    which it keeps then.
    """

    def __init__(self, tasks: Tasks, staged: StagedTable, *, small_bytes: int) -> None:
        self._tasks, self._staged = tasks, staged
        self._here = tasks.here and staged.cells * _BYTES_A_CELL <= small_bytes
        self._table: TrainingTable | None = None

    def ask(self, questions: Sequence[Question[Answer]], *, threads: int = 1) -> list[Answer]:
        """See `Asked`. Raises what a question raised, the first of them if there are several."""
        if self._here:
            return self._answer(questions, threads)
        size = self._staged.cells * _BYTES_A_CELL
        done = self._tasks.run(
            self._rounds(questions, threads),
            AnswerOne(self._staged, threads),
            weight=lambda _: max(_WORTH_A_TASK, size),
            named=lambda items: f"question {items[0][0] + 1} of {len(questions)} to the training table",
            cpus=threads,
        )
        answers: dict[int, Any] = {result["question"]: _unpacked(result["answer"]) for result in done.results}
        for place in range(len(questions)):
            if isinstance(answers[place], _Raised):
                raise answers[place].error
        return [answers[place] for place in range(len(questions))]

    def _rounds(
        self, questions: Sequence[Question[Answer]], threads: int
    ) -> list[list[tuple[int, Question[Answer]]]]:
        """Numbered questions, those together that one task answers one after another.

        On one machine cores are anybody's: more threads than there are would wait for each other.
        """
        numbered = [*enumerate(questions)]
        beside = max(1, self._tasks.slots // threads)
        if not self._tasks.here or threads == 1 or len(numbered) <= beside:
            return [[each] for each in numbered]
        return [numbered[place::beside] for place in range(beside)]

    def _answer(self, questions: Sequence[Question[Answer]], threads: int) -> list[Answer]:
        if self._table is None:
            self._table = load(self._staged, self._fetched)
        beside = max(1, min(len(questions), self._tasks.slots // threads))
        with _limited(threads), ThreadPoolExecutor(beside) as pool:
            if beside == 1:
                return [question(self._table) for question in questions]
            # what takes time is compiled code, which lets other threads run
            asked = [pool.submit(question, self._table) for question in questions]
            return [answer.result() for answer in asked]

    def _fetched(self, parcels: Sequence[Parcel], columns: Sequence[str]) -> pl.DataFrame:
        return self._tasks.fetch(parcels).select(columns)


@dataclass(frozen=True)
class AnswerOne:
    """Work on numbered questions: tells each answer, or what the question raised, as a pickle in base64."""

    staged: StagedTable
    threads: int

    def __call__(
        self, items: Sequence[Sequence[tuple[int, Question[Any]]]], files: TaskFiles
    ) -> Iterator[dict[str, Any]]:
        """The answers."""
        table = loaded(self.staged, files.read)
        for place, question in (each for item in items for each in item):
            yield {"question": place, "answer": _answered(question, table, self.threads)}


@dataclass(frozen=True)
class _Raised:
    error: Exception


@contextmanager
def _limited(threads: int) -> Iterator[None]:
    """Spark starts its workers with OMP_NUM_THREADS=1, which libraries take for the most there is."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads):
        yield


def _answered(question: Question[Any], table: TrainingTable, threads: int) -> str:
    """A question that fails once fails again: told at once, not tried by Spark four times."""
    try:
        with _limited(threads):
            return _packed(question(table))
    except Exception as error:
        error.add_note("in a task: " + "".join(traceback.format_tb(error.__traceback__)[-3:]))
        try:
            packed = _packed(_Raised(error))
            _unpacked(packed)
        except Exception:
            return _packed(_Raised(RuntimeError(f"{type(error).__name__}: {error}")))
        return packed


def _packed(answer: Any) -> str:
    return base64.b64encode(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)).decode()


def _unpacked(text: str) -> Any:
    return pickle.loads(base64.b64decode(text))  # noqa: S301 our own tasks' answers

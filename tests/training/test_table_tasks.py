"""Questions to the training table: this process and tasks give the same answers, and the same errors."""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pyspark import cloudpickle
from pyspark.sql import SparkSession
from test_table_work import put, tables_in

from pozytywka_spark.dataset.load_table import StagedTable
from pozytywka_spark.dataset.table import TrainingTable
from pozytywka_spark.dataset.table_tasks import TableTasks
from pozytywka_spark.dataset.table_work import ROWS
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake import open_lake
from pozytywka_spark.names import TEST
from tests.in_memory import MemoryTasks


def means(table: TrainingTable, side: str) -> np.ndarray:
    return np.nanmean(table.of(side).matrix, axis=0)


def refuse(table: TrainingTable, error: Exception) -> int:
    raise error


def where(_: TrainingTable) -> tuple[int, int, bool]:
    from threadpoolctl import threadpool_info

    import pozytywka_spark.training.single_task  # noqa: F401 xgboost, whose threads are counted

    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"]
    return os.getpid(), max(pools), isinstance(_.matrix, np.memmap)


def refuse_oddly(_: TrainingTable) -> int:
    raise UnsendableError(1, 2)


MET = threading.Barrier(2)


def meet(table: TrainingTable) -> int:
    MET.wait(timeout=20)
    return len(table)


def meet_soon(_: TrainingTable) -> None:
    MET.wait(timeout=0.2)


class UnsendableError(ValueError):
    """Pickles, but can't be made again."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


@pytest.fixture
def staged(tmp_path: Path) -> tuple[MemoryTasks, StagedTable]:
    settings, lake = tables_in(tmp_path)
    return lake.tasks, put(settings, lake)[1]


def both(staged: tuple[MemoryTasks, StagedTable]) -> list[TableTasks]:
    tasks, table = staged
    return [TableTasks(tasks, table, small_bytes=size) for size in (1 << 20, 0)]


def test_answers_come_in_the_questions_order_and_are_the_same(
    staged: tuple[MemoryTasks, StagedTable],
) -> None:
    here, tasks = both(staged)
    questions = [partial(means, side=side) for side in ("test", "train", "validation")]
    jobs = len(staged[0].ran)
    answers = here.ask(questions)
    assert len(staged[0].ran) == jobs
    for ours, theirs in zip(answers, tasks.ask(questions), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(staged[0].ran) == jobs + 1
    assert staged[0].ran[-1][0] == "question 1 of 3 to the training table"
    assert not np.array_equal(answers[0], answers[1])
    assert tasks.ask([]) == here.ask([]) == []


def test_this_process_answers_beside_each_other_as_far_as_there_are_cores(
    staged: tuple[MemoryTasks, StagedTable],
) -> None:
    here, _ = both(staged)
    assert here.ask([meet, meet, meet, meet]) == here.ask([len]) * 4
    MET.reset()
    with pytest.raises(threading.BrokenBarrierError):  # each of them takes both cores
        here.ask([meet_soon, meet_soon], threads=2)


def test_tasks_of_one_machine_share_its_cores(staged: tuple[MemoryTasks, StagedTable]) -> None:
    """Two cores: questions of two threads each go one after another, in one task."""
    _, tasks = both(staged)
    questions = [partial(means, side=side) for side in ("test", "train", "validation")]
    assert [len(each) for each in tasks._rounds(questions, 1)] == [1, 1, 1]
    assert [len(each) for each in tasks._rounds(questions, 2)] == [3]
    assert [len(each) for each in tasks._rounds(questions[:1], 2)] == [1]
    for ours, theirs in zip(tasks.ask(questions, threads=2), tasks.ask(questions), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_table_too_large_for_this_process_is_asked_in_tasks(
    staged: tuple[MemoryTasks, StagedTable],
) -> None:
    tasks, table = staged
    jobs = len(tasks.ran)
    TableTasks(tasks, table, small_bytes=table.cells * 4 - 1).ask([len])
    assert len(tasks.ran) == jobs + 1
    TableTasks(tasks, table, small_bytes=table.cells * 4).ask([len])
    assert len(tasks.ran) == jobs + 1


def test_errors_keep_their_class_and_their_words(staged: tuple[MemoryTasks, StagedTable]) -> None:
    for asked in both(staged):
        with pytest.raises(DataError, match="no positives in fold 3"):
            asked.ask([len, partial(refuse, error=DataError("no positives in fold 3")), len])
        with pytest.raises(ZeroDivisionError, match="second"):
            asked.ask(
                [partial(refuse, error=ZeroDivisionError("second")), partial(refuse, error=KeyError(1))]
            )
        with pytest.raises((RuntimeError, UnsendableError), match="1 and 2"):
            asked.ask([refuse_oddly])


def test_tasks_of_spark_map_one_file_and_have_their_threads(spark: SparkSession, tmp_path: Path) -> None:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers can't import tests
    settings, lake = tables_in(tmp_path)
    _, memory = put(settings, lake)
    blocks = [lake.tasks.files.read([parcel]) for parcel in memory.rows]
    with open_lake(settings, spark).tasks() as tasks:
        rows = tuple(tasks.put(ROWS, block) for block in blocks)
        users = tuple(tasks.put("users", lake.tasks.files.read([parcel])) for parcel in memory.users or ())
        staged = StagedTable(memory.order, rows, users, memory.cities)
        asked = TableTasks(tasks, staged, small_bytes=0)
        found = asked.ask([where, where], threads=2)
        assert os.getpid() not in {process for process, _, _ in found}
        assert {(threads, mapped) for _, threads, mapped in found} == {(2, True)}
        answers = asked.ask([partial(means, side=TEST)])
        here = TableTasks(tasks, staged, small_bytes=1 << 20)
        np.testing.assert_array_equal(answers[0], here.ask([partial(means, side=TEST)])[0])
        with pytest.raises(DataError, match="no positives"):
            asked.ask([partial(refuse, error=DataError("no positives"))])
        folder = Path(rows[0].place).parent
        assert len([*folder.glob("*.npy")]) == 1
    assert not folder.exists()

"""A session that starts when it is first used, and what is known of it before; no JVM is started here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.lake import open_lake
from pozytywka_spark.spark import session_on_demand as room
from pozytywka_spark.spark.session_on_demand import session_on_demand

Starts = list[str]


class _Session:
    """As much of a session as is asked for below."""

    conf = SimpleNamespace(get=lambda key, *default: f"its {key}")

    def range(self, rows: int) -> str:
        return f"{rows} rows"


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    """The sessions that were started, by name; none runs before."""
    started: Starts = []

    def build(settings: Settings, app_name: str, *, verbose: bool) -> Any:
        started.append(app_name)
        return _Session()

    monkeypatch.setattr(room, "build_session", build)
    monkeypatch.setattr(room, "running_session", lambda: None)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    return started


def test_it_starts_once_at_its_first_use(settings: Settings, starts: Starts) -> None:
    heard = []

    @contextmanager
    def told() -> Iterator[None]:
        heard.append("starting")
        yield
        heard.append("started")

    spark: Any = session_on_demand(settings, "job", surrounding=told)
    copy.copy(spark)
    assert (starts, heard) == ([], [])
    threads = [Thread(target=spark.range, args=(1,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spark.range(3) == "3 rows"
    assert (starts, heard) == (["job"], ["starting", "started"])


def test_its_settings_are_known_before(settings: Settings, starts: Starts) -> None:
    spark = session_on_demand(settings, "job")
    assert spark.conf.get("spark.master", "") == "local[2]"
    assert spark.conf.get("spark.sql.shuffle.partitions") == "8"
    assert starts == []
    # only a session knows what nobody has set; and once there is one, it is asked everything
    assert spark.conf.get("spark.app.id") == "its spark.app.id"
    assert spark.conf.get("spark.master") == "its spark.master"
    assert starts == ["job"]


def test_a_lake_is_read_and_written_without_it(settings: Settings, starts: Starts) -> None:
    from pozytywka_spark.orchestration.state import read_states

    lake = open_lake(settings, session_on_demand(settings, "job"))
    assert read_states(lake) == []
    with lake.tasks() as tasks:
        assert tasks.run([], lambda *_: (), weight=lambda _: 1, named=str).results == ()
    assert starts == []


def _submitted(patch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    patch.setenv("PYSPARK_GATEWAY_PORT", "1")
    return load_settings("local", [f"home={tmp_path}"])


def _running(patch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    patch.setattr(room, "running_session", _Session)
    return load_settings("local", [f"home={tmp_path}"])


def _on_a_cluster(patch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    return load_settings("cluster", [f"home={tmp_path}", f"lake.root={tmp_path}/lake"])


def _by_delta_spark(patch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    return load_settings("local", [f"home={tmp_path}", "lake.engine=delta-spark"])


@pytest.mark.parametrize("where", [_submitted, _running, _on_a_cluster, _by_delta_spark])
def test_it_is_there_at_once_where_spark_runs_or_is_needed(
    where: Callable[[pytest.MonkeyPatch, Path], Settings],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    starts: Starts,
) -> None:
    assert isinstance(session_on_demand(where(monkeypatch, tmp_path), "job"), _Session)
    assert starts == ["job"]

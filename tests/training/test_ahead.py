"""Libraries of a training, loaded beside the work."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pozytywka_spark.training import ahead


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, bool]]]:
    """What is loaded, and whether the collector was at work then."""
    seen: list[tuple[str, bool]] = []
    monkeypatch.setattr(ahead.importlib, "import_module", lambda name: seen.append((name, gc.isenabled())))
    yield seen
    gc.enable()


def test_the_collector_rests_while_libraries_load_and_works_again(loading: list[tuple[str, bool]]) -> None:
    with ahead.libraries_loading():
        pass
    assert [name for name, _ in loading] == list(ahead._LIBRARIES)
    assert not any(collecting for _, collecting in loading)
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off(loading: list[tuple[str, bool]]) -> None:
    gc.disable()
    with ahead.libraries_loading():
        pass
    assert loading
    assert not gc.isenabled()

"""Libraries of a training, loaded beside the work."""

from __future__ import annotations

import gc
import sys
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


def test_what_was_loaded_is_never_looked_through_again(
    loading: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    gc.unfreeze()
    before = gc.get_freeze_count()
    with ahead.libraries_loading():
        pass
    assert gc.get_freeze_count() == before  # nothing was new
    monkeypatch.setattr(
        ahead.importlib, "import_module", lambda name: sys.modules.setdefault(f"new {name}", gc)
    )
    try:
        with ahead.libraries_loading():
            pass
        assert gc.get_freeze_count() > before + 10_000
    finally:
        gc.unfreeze()
        for name in ahead._LIBRARIES:
            del sys.modules[f"new {name}"]

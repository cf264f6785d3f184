"""Which tests share a worker, and that what the lists name is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.side_by_side import LONG, TOGETHER, place_of, share_of

TESTS = Path(__file__).resolve().parent


@pytest.mark.parametrize(
    ("nodeid", "share"),
    [
        ("tests/lake/test_contract.py::test_time_travel[delta-rs]", "tests/lake/test_contract.py"),
        ("tests/training/test_dossier.py::test_it", "trained"),
        ("tests/test_cli.py::test_it", "tests/test_cli.py"),
    ],
)
def test_a_test_goes_with_its_file_or_with_what_is_made_once(nodeid: str, share: str) -> None:
    assert share_of(nodeid) == share


def test_what_takes_longest_begins_first() -> None:
    ids = [
        f"{share}::test_it"
        for share in ("tests/test_cli.py", "tests/jobs/test_wheel.py", "tests/cluster/test_x.py")
    ]
    assert sorted(ids, key=place_of) == ids[::-1]


def test_the_lists_name_what_is_there() -> None:
    named = [*LONG, *(file for files in TOGETHER.values() for file in files)]
    gone = [name for name in named if name not in TOGETHER and not (TESTS.parent / name).exists()]
    assert gone == []

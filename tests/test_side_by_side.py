"""Which tests share a worker, and that what the lists name is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.side_by_side import ELSEWHERE, LONG, TOGETHER, next_share, place_of, share_of

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
    named = [*ELSEWHERE, *LONG, *(file for files in TOGETHER.values() for file in files)]
    gone = [name for name in named if name not in TOGETHER and not (TESTS.parent / name).exists()]
    assert gone == []


@pytest.mark.parametrize(
    ("waiting", "of_the_first", "of_others"),
    [
        (["tests/test_cli.py", "trained"], "trained", "tests/test_cli.py"),
        (
            ["tests/lake/test_contract.py", "tests/test_cli.py"],
            "tests/lake/test_contract.py",
            "tests/test_cli.py",
        ),
        (["tests/cluster/test_cluster.py"], "tests/cluster/test_cluster.py", "tests/cluster/test_cluster.py"),
        (["known"], "known", "known"),
    ],
)
def test_what_needs_a_session_goes_to_the_first_worker_while_others_have_something_else(
    waiting: list[str], of_the_first: str, of_others: str
) -> None:
    assert next_share(waiting, first=True) == of_the_first
    assert next_share(waiting, first=False) == of_others

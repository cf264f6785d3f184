"""Integrity's rules against plain Python."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pozytywka_spark.errors import UsageError
from pozytywka_spark.feed.block_list import mask_of, read_ids
from pozytywka_spark.feed.integrity import RULES, Barred, farmed, judge, play_counts, rejected
from pozytywka_spark.feed.pairs import Pairs, TrackSide


def _side(artist: list[int], song: list[int], plays: list[int]) -> TrackSide:
    count = len(artist)
    none = np.zeros(count, np.int64)
    ids = np.array([f"t{number}" for number in range(count)])
    return TrackSide(
        ids,
        np.array(artist),
        np.array(["a0", "a1", "a2"]),
        np.array(song),
        np.zeros((count, 1), np.int64),
        none,
        np.array(plays),
        none,
        np.zeros((count, 2), np.float32),
    )


def test_each_entry_goes_by_the_first_rule_that_removes_it() -> None:
    #             t0 t1  t2 t3 t4 t5; t1's artist is unknown, t3, t4 and t5 are one song
    side = _side([0, 0, 1, 2, 2, 2], [0, 1, 2, 3, 3, 3], [5, 5, 5, 7, 9, 9])
    barred = Barred(
        unknown=np.array([False, True, False, False, False, False]),
        blocked=np.array([False, True, False, False, False, False]),
        farmed=np.array([False, True, True, False, False, False]),
    )
    pairs = Pairs(
        np.array([101, 102]),
        np.array([0, 7, 9]),
        np.array([0, 1, 2, 3, 4, 5, -1, 3, 0], np.int32),
        np.zeros(9, np.uint16),
    )
    was_rejected = np.array([False] * 8 + [True])
    verdict = judge(pairs, side, barred, was_rejected)
    assert [RULES.get(one, "") for one in verdict.tolist()] == [
        "",
        "unknown",
        "farmed",
        "same song",
        "",
        "same song",
        "unknown",
        "",
        "rejected",
    ]


@pytest.mark.parametrize("seed", range(5))
def test_verdicts_are_those_of_plain_python(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tracks, users = 30, 8
    side = _side(
        rng.integers(0, 3, tracks).tolist(),
        rng.integers(0, 12, tracks).tolist(),
        rng.integers(0, 4, tracks).tolist(),
    )
    barred = Barred(*(rng.random(tracks) < 0.1 for _ in range(3)))
    lists = [np.sort(rng.choice(tracks, rng.integers(0, 20), replace=False)) for _ in range(users)]
    track = np.concatenate(lists)
    pairs = Pairs(
        np.arange(users),
        np.concatenate([[0], np.cumsum([len(one) for one in lists])]),
        track.astype(np.int32),
        np.zeros(len(track), np.uint16),
    )
    was_rejected = rng.random(len(track)) < 0.1
    expected = []
    for user in range(users):
        entries = range(pairs.start[user], pairs.start[user + 1])
        verdicts = {}
        for entry in entries:
            one = track[entry]
            rules = [barred.unknown[one], barred.blocked[one], barred.farmed[one], was_rejected[entry]]
            verdicts[entry] = rules.index(True) + 1 if True in rules else 0
        for entry in entries:
            sound = [other for other in entries if not verdicts[other]]
            same = [other for other in sound if side.song[track[other]] == side.song[track[entry]]]
            best = min(same, key=lambda other: (-side.plays[track[other]], track[other]), default=entry)
            expected.append(verdicts[entry] or (0 if best == entry else 5))
    assert judge(pairs, side, barred, was_rejected).tolist() == expected


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 9), st.booleans()), max_size=60)
)
def test_rejected_is_what_was_skipped_in_the_last_two_plays(
    rows: list[tuple[int, int, int, bool]],
) -> None:
    expected = []
    for user in range(4):
        for track in range(3):
            mine = sorted((time, skip) for who, what, time, skip in rows if (who, what) == (user, track))
            mine = [one for one in mine if one[0] >= 3]
            if len(mine) >= 2 and all(skip for _, skip in mine[-2:]):
                expected.append((user, track))
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    assert list(zip(*(each.tolist() for each in rejected(*columns, since_us=3)), strict=True)) == expected


def _plainly_farmed(plays: list[tuple[int, str]], accounts: int, share: float, at_least: int) -> list[str]:
    found = []
    for track in sorted({track for _, track in plays}):
        most = [n for _, n in Counter(user for user, what in plays if what == track).most_common()]
        few = next(count for count in range(1, len(most) + 1) if sum(most[:count]) * 2 > sum(most))
        if few < share * accounts and sum(most[:few]) >= at_least * few:
            found.append(track)
    return found


@pytest.mark.thorough
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["a", "b"])), max_size=80),
    st.integers(1, 60),
    st.integers(1, 6),
)
def test_farmed_is_what_few_accounts_mostly_play(
    plays: list[tuple[int, str]], accounts: int, at_least: int
) -> None:
    frame = pl.DataFrame(plays, schema={"user_id": pl.Int64, "track_id": pl.String}, orient="row")
    parts = [play_counts(frame.filter(pl.col("user_id") % 2 == odd)) for odd in (0, 1)]
    got = farmed(pl.concat(parts), accounts, share=0.1, at_least=at_least)
    assert got == _plainly_farmed(plays, accounts, 0.1, at_least)


def test_counts_are_of_tracks_and_numbers_never_of_pairs() -> None:
    plays = pl.DataFrame({"user_id": [1, 1, 2, 3], "track_id": ["a", "a", "a", "a"]})
    expected = pl.DataFrame({"track_id": ["a", "a"], "plays": [1, 2], "accounts": [2, 1]})
    assert_frame_equal(play_counts(plays), expected, check_dtypes=False)


def test_a_list_of_ids(tmp_path: Path) -> None:
    path = tmp_path / "blocked.txt"
    path.write_text("# no more\nb\n\n a \nb\n", encoding="utf-8")
    ids = read_ids(str(path), "feed.block_list")
    assert ids == ("a", "b")
    assert mask_of(ids, np.array(["a", "b", "c"])).tolist() == [True, True, False]
    assert read_ids(None, "feed.block_list") == ()
    assert mask_of((), np.array(["a"])).tolist() == [False]


@pytest.mark.parametrize("content", [b"a,b\n", b"\xff\xfe\x00", b"x" * 300])
def test_a_file_that_is_no_such_list(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "blocked.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"^feed\.block_list .*blocked\.txt: .*one a line$"):
        read_ids(str(path), "feed.block_list")


def test_a_missing_block_list() -> None:
    with pytest.raises(UsageError, match=r"feed\.block_list /nowhere/list: can't be read: No such file"):
        read_ids("/nowhere/list", "feed.block_list")

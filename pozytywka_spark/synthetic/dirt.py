"""Planted defects of the sessions file, each written into a ledger.

Defects of one value change a line in place, and leave what is needed to see through them; lines
that can't be used at all (broken, of a wrong type) come on top of the clean ones. So a dirty
world holds all of the clean one, and the ledger says exactly which lines differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from pozytywka_spark.config import Dirt
from pozytywka_spark.synthetic import lines
from pozytywka_spark.synthetic.catalogue import Array, Catalogue
from pozytywka_spark.synthetic.events import ADVERTISEMENT, BUY_PREMIUM, LIKE, PLAY
from pozytywka_spark.synthetic.lines import SessionRows
from pozytywka_spark.synthetic.plan import Rng

UNKNOWN_USER = 1_000_000_000  # added to a user's id to make one that nobody has


@dataclass(frozen=True)
class Planted:
    """One entry a defect: the line of the part (from 1), what it would have been (None: a line too many)."""

    defect: list[str]
    line: list[int]
    was: list[str | None]

    @classmethod
    def none(cls) -> Planted:
        """Nothing planted yet."""
        return cls([], [], [])

    def add(self, defect: str, lines_at: list[int], was: list[str] | None = None) -> None:
        """Note `defect` on lines counted from 0."""
        self.defect.extend([defect] * len(lines_at))
        self.line.extend(at + 1 for at in lines_at)
        self.was.extend(was if was is not None else [None] * len(lines_at))


def dirty_sessions(rows: SessionRows, catalogue: Catalogue, dirt: Dirt, rng: Rng) -> tuple[pa.Array, Planted]:
    """The lines of a part with defects at the rates of `dirt`, and what was planted."""
    planted = Planted.none()
    changed, touched = _in_place(rows, catalogue, dirt, rng, planted)
    written = lines.session_lines(changed, catalogue)
    extra = _on_top(rows, written, ~touched, catalogue, dirt, rng)
    parts = [written]
    end = len(written)
    for defect, more in extra:
        planted.add(defect, list(range(end, end + len(more))))
        parts.append(more)
        end += len(more)
    return pa.concat_arrays(parts), planted


def _in_place(
    rows: SessionRows, catalogue: Catalogue, dirt: Dirt, rng: Rng, planted: Planted
) -> tuple[SessionRows, Array]:
    """Rows with values changed, and which ones."""
    picked = _choose(rows, dirt, rng)
    for defect, mask in picked.items():
        at = np.flatnonzero(mask)
        planted.add(defect, at.tolist(), lines.session_lines(rows.take(at), catalogue).to_pylist())
    track, kind = rows.track.copy(), rows.kind.copy()
    track[picked["null_track_id"]] = lines.NULL_TRACK
    track[picked["orphan_track"]] = lines.UNKNOWN_TRACK
    kind[picked["lower_case_event_type"]] += lines.LOWER_CASE
    kind[picked["misspelt_advertisement"]] = lines.MISSPELT
    kind[picked["null_event_type"]] = lines.NULL_TYPE
    changed = replace(
        rows,
        user_id=rows.user_id + UNKNOWN_USER * picked["orphan_user"],
        user_null=picked["null_user_id"],
        track=track,
        kind=kind,
    )
    return changed, np.any(list(picked.values()), axis=0)


def _choose(rows: SessionRows, dirt: Dirt, rng: Rng) -> dict[str, Array]:
    """For each defect the rows that get it.

    A row can lose user, track and type at once, as in the real dirty delivery. Only the second of
    two rows tied in time keeps what it has if the first lost anything: else two different events
    could come out as one and the same line, and be counted as duplicates that nobody planted.
    """
    count = len(rows)
    kind = rows.kind
    music = (kind != ADVERTISEMENT) & (kind != BUY_PREMIUM)
    same_session = np.append(rows.session_id[1:] == rows.session_id[:-1], False)
    goes_on = same_session & np.append(rows.track[1:] == rows.track[:-1], False)
    sessions, session = np.unique(rows.session_id, return_inverse=True)

    def drawn(rate: float) -> Array:
        return rng.random(count) < rate

    orphan_user = (rng.random(len(sessions)) < dirt.orphan_user)[session]
    null_user = drawn(dirt.null_user_id) & ~orphan_user
    null_track = drawn(dirt.null_track_id) & music
    null_type = drawn(dirt.null_event_type)
    tied = np.append(False, rows.time_ms[1:] == rows.time_ms[:-1])
    first_lost = np.append(False, (null_user | null_track | null_type)[:-1])
    spared = tied & first_lost
    null_user, null_track, null_type = (mask & ~spared for mask in (null_user, null_track, null_type))
    misspelt = drawn(dirt.misspelt_advertisement) & (kind == ADVERTISEMENT) & ~null_type
    return {
        "null_user_id": null_user,
        "null_track_id": null_track,
        "null_event_type": null_type,
        "misspelt_advertisement": misspelt,
        "lower_case_event_type": drawn(dirt.lower_case_event_type) & ~null_type & ~misspelt,
        "orphan_user": orphan_user,
        "orphan_track": drawn(dirt.orphan_track) & (kind == PLAY) & ~goes_on & ~null_track & ~null_type,
    }


def _on_top(
    rows: SessionRows, written: pa.Array, clean: Array, catalogue: Catalogue, dirt: Dirt, rng: Rng
) -> list[tuple[str, pa.Array]]:
    """Lines that the clean world has not; each is made from an untouched line."""

    def some(rate: float, eligible: Array) -> Array:
        return np.flatnonzero(eligible & clean & (rng.random(len(rows)) < rate))

    def later(at: Array, by_ms: int) -> pa.Array:
        copy = rows.take(at)
        return lines.session_lines(replace(copy, time_ms=copy.time_ms + by_ms), catalogue)

    anything = np.ones(len(rows), dtype=bool)
    broken = written.take(pa.array(some(dirt.broken_json, anything))).to_pylist()
    wrong = written.take(pa.array(some(dirt.wrong_type, anything))).to_pylist()
    bad_time = written.take(pa.array(some(dirt.bad_timestamp, anything))).to_pylist()
    return [
        ("repeated_like", later(some(dirt.repeated_like, rows.kind == LIKE), 1)),
        ("second_purchase", later(some(dirt.second_purchase, rows.kind == BUY_PREMIUM), 1000)),
        ("duplicate_row", written.take(pa.array(some(dirt.duplicate_row, anything)))),
        ("broken_json", pa.array([cut(line, rng) for line in broken], pa.string())),
        (
            "wrong_type",
            pa.array(
                [
                    line.replace('"user_id": ', '"user_id": "no ').replace(', "track_id"', '", "track_id"')
                    for line in wrong
                ],
                pa.string(),
            ),
        ),
        (
            "bad_timestamp",
            pa.array([_bad_time(line, number) for number, line in enumerate(bad_time)], pa.string()),
        ),
    ]


def cut(line: str, rng: Rng) -> str:
    """The line without its last few characters: not valid JSON, and still like no other line."""
    return line[: -int(rng.integers(1, 7))]


def _bad_time(line: str, number: int) -> str:
    """The line at a time that never was. The rest of the time stays, so that no two lines come out alike."""
    before, mark, after = line.partition('"timestamp": "')
    year, time = after[:4], after[10:]
    day, hour = after[4:10], time[1:3]
    impossible = (
        f"{year}-02-30{time}",
        f"{year}-13{day[3:]}{time}",
        f"{year}{day}{time.replace(f'T{hour}', 'T25', 1)}",
    )
    return before + mark + impossible[number % len(impossible)]

"""A watch over the package's functions: which of its files are handed a row of some users. A file counts

- as *run* if any function of it was called,
- as *handed the row* if a function of it was given, or gave back, data that may have a row of the users in
  it, or a small object with such data; a file that only passes a frame on counts, for a reader has to pass it
  as well:
  - a Polars, pandas or Arrow frame that has one of the users. Table `users` doesn't count: nothing in it
    comes from a sessions line;
  - bytes or texts in which a line of theirs stands;
  - what names no user, a column, an array, or a frame without users, if it is as long as a frame with one of
    them that the stage has had by then (from 1,000 rows on: that it ever has), or if the call comes from one
    that was given their line as text. So tables by track or artist and the books of what was taken in don't
    count: no row of them is a user's. In training, whose sides have lengths of their own, any counts,
- as *on the way* if it was handed the row outside of `BESIDE`: those look at copies, a prediction would be
  the same if they weren't there.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

# What these are handed, and all that they call, are copies on their way to a check or a page
BESIDE = (
    "ingest/intake/survey.py",  # is the file what it seems to be? By its first lines
    "ingest/quality/",
    "features/guards/",
    "features/build/suspicion_sample.py",
    "dossier/",
    "reports/",
)
PACKAGE = f"{Path(__file__).resolve().parents[2] / 'pozytywka_spark'}/"
_LOOKS = 300  # a function that had no rows so often has none
_LONG = 1000  # rows: that two things are as long by chance is unlikely
_ITEMS = 1000  # of a list, that are looked at
_USERS_TABLE = ("user_id", "city", "favourite_genres", "premium_user", "user_genres_")
_FRAMES = (pl.DataFrame, pd.DataFrame, pa.Table, pa.RecordBatch)
_COLUMNS = (pl.Series, pa.ChunkedArray, pa.Array, np.ndarray)


@dataclass
class Stage:
    """Files by what happened to them: `run`; of those `handed` the row, and to which function; of those the
    ones `on_the_way`. `lengths` of the frames that had the user; `waiting` for a frame of that length are the
    files and how. `any_length`: none waits, all counts.
    """

    run: set[str] = field(default_factory=set)
    handed: dict[str, str] = field(default_factory=dict)
    on_the_way: dict[str, str] = field(default_factory=dict)
    lengths: set[int] = field(default_factory=set)
    waiting: dict[tuple[str, int], tuple[str, bool]] = field(default_factory=dict)
    any_length: bool = False

    def note(self, file: str, how: str, *, beside: bool) -> None:
        """A function of the file was handed the row."""
        self.handed.setdefault(file, how)
        if not beside:
            self.on_the_way.setdefault(file, how)

    def end(self) -> None:
        """Those that were handed something as long as a frame that came later."""
        for (file, length), (how, beside) in self.waiting.items():
            if length in self.lengths:
                self.note(file, how, beside=beside)


class Watch:
    """Files by stage whose functions were called, and those of which were handed a row of `users`."""

    def __init__(self, *users: int) -> None:
        self.users = set(users)
        self.texts = tuple(f'"user_id":{blank}{user},'.encode() for user in users for blank in ("", " "))
        self.stages: dict[str, Stage] = {}
        self.stage = Stage()
        self.looks: Counter[CodeType] = Counter()
        self.long: set[int] = set()  # lengths of what was looked at last, and named no user
        self.given_text: set[CodeType] = set()

    def __call__(self, frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        """A tracing function, see `sys.settrace`: only the package's own functions are looked at."""
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE) or code.co_name[0] == "<":
            return None
        file = code.co_filename.removeprefix(PACKAGE)
        self.stage.run.add(file)
        self.looks[code] += 1
        if file in self.stage.on_the_way or self.looks[code] > _LOOKS:
            return None
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self.long = set()
        given = next((name for name in names if self.holds(frame.f_locals.get(name))), None)
        if given is not None and isinstance(frame.f_locals[given], (bytes, str)):
            self.given_text.add(code)
        if given is not None or (self.long and self._is_below_text(frame)):
            self.stage.note(
                file, f"{code.co_qualname} is given {given or 'a part of it'}", beside=_is_beside(frame)
            )
            return None
        self._wait(file, frame, f"{code.co_qualname} is given it")
        frame.f_trace_lines = False
        return partial(self.back, file)

    def back(self, file: str, frame: FrameType, event: str, returned: object) -> None:
        """What a function of the file gave back."""
        how, self.long = f"{frame.f_code.co_qualname} gives back", set()
        if event == "return" and self.holds(returned):
            self.stage.note(file, how, beside=_is_beside(frame))
        elif event == "return":
            self._wait(file, frame, how)

    def _is_below_text(self, frame: FrameType) -> bool:
        above: FrameType | None = frame
        while above is not None:
            if above.f_code in self.given_text:
                return True
            above = above.f_back
        return False

    def _wait(self, file: str, frame: FrameType, how: str) -> None:
        for length in self.long:
            if (file, length) not in self.stage.waiting:
                self.stage.waiting[file, length] = (how, _is_beside(frame))

    def holds(self, value: object, depth: int = 2) -> bool:
        """Whether the value is rows of data that may have the row among them."""
        if isinstance(value, _FRAMES):
            return self._in_frame(value)
        if isinstance(value, _COLUMNS):
            return self._in_column(value)
        if isinstance(value, (bytes, bytearray)):
            return any(text in value for text in self.texts)
        if isinstance(value, str):
            return any(text.decode() in value for text in self.texts)
        if depth == 0:
            return False
        if is_dataclass(value) and not isinstance(value, type):
            return any(self.holds(getattr(value, each.name, None), depth - 1) for each in fields(value))
        if isinstance(value, (list, tuple)):
            return any(self.holds(each, depth - 1) for each in value[:_ITEMS])
        if isinstance(value, dict):
            return any(self.holds(each, depth - 1) for each in list(value.values())[:_ITEMS])
        return False

    def _in_frame(self, rows: Any) -> bool:
        names = rows.schema.names if isinstance(rows, (pa.Table, pa.RecordBatch)) else list(rows.columns)
        if not len(rows):
            return False
        if "user_id" not in names:
            return self._is_as_long(rows) or any(self._in_texts(rows[name]) for name in names)
        if len(names) > 1 and all(name.startswith(_USERS_TABLE) for name in names):
            return False
        users = rows["user_id"]
        users = users.to_pylist() if isinstance(users, (pa.Array, pa.ChunkedArray)) else users.to_list()
        if self.users.isdisjoint(users):
            return False
        self.stage.lengths.add(len(rows))
        return True

    def _in_column(self, values: Any) -> bool:
        return self._is_as_long(values) or self._in_texts(values)

    def _is_as_long(self, values: Any) -> bool:
        """Of a matrix either side may be the rows."""
        sides = values.shape if isinstance(values, np.ndarray) else (len(values),)
        stage = self.stage
        if any(side > 1 and (stage.any_length or side in stage.lengths) for side in sides):
            return True
        self.long |= {side for side in sides if side >= _LONG}
        return False

    def _in_texts(self, values: Any) -> bool:
        """Whether the user's line stands in one of them."""
        if isinstance(values, (pa.Array, pa.ChunkedArray)) and values.type in (pa.binary(), pa.string()):
            values = pl.Series(values)
        if not isinstance(values, pl.Series) or values.dtype not in (pl.String, pl.Binary):
            return False
        binary = values.cast(pl.Binary)
        return any(bool(binary.bin.contains(text).any()) for text in self.texts)


def _is_beside(frame: FrameType | None) -> bool:
    """Whether the function, or any that it was called by, is of `BESIDE`."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PACKAGE) and name.removeprefix(PACKAGE).startswith(BESIDE):
            return True
        frame = frame.f_back
    return False


@contextmanager
def watched(watch: Watch, name: str, *, any_length: bool = False) -> Iterator[None]:
    """`watch` sees every call, in all threads, until the block ends."""
    stage = watch.stage = watch.stages[name] = Stage(any_length=any_length)
    threading.settrace(watch)
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]  # that is how it ends
        stage.end()
        print(_described(name, stage), flush=True)  # noqa: T201


def _described(name: str, stage: Stage) -> str:
    counts = (
        f"{len(stage.on_the_way)} on the way of {len(stage.handed)} handed the row of {len(stage.run)} run"
    )
    beside = {file: how for file, how in stage.handed.items() if file not in stage.on_the_way}
    return "\n".join(
        [
            f"{name}: {counts}",
            *(f"  {file}: {how}" for file, how in sorted(stage.on_the_way.items())),
            *(f"  (beside) {file}: {how}" for file, how in sorted(beside.items())),
        ]
    )

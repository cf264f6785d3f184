"""What is wrong with a row of a log: each reason by a row that has only that, and the file formats alike."""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pozytywka_spark.bandits import judge
from pozytywka_spark.bandits.log_lines import NO_ROW, SAID, read_log, without_user
from pozytywka_spark.bandits.slots import SlotPlan
from pozytywka_spark.bandits.take_in_work import as_aside, without_twins
from pozytywka_spark.errors import DataError

SOUND = {
    "decision_id": "d1",
    "slot": "prompt",
    "user_id": 7,
    "decided_at": "2024-01-02T03:04:05Z",
    "group": "north",
    "eligible": ["plain", "trial"],
    "chosen": "trial",
    "probability": 0.75,
    "probabilities": [0.25, 0.75],
    "days_since": [None, 1.5],
    "policy": "3",
    "stream": "policy",
    "reward": 1.0,
}
SLOTS = {
    "prompt": SlotPlan("prompt", "recovering_softmax", "logged", 1, ("plain", "trial", "heavy")),
    "open": SlotPlan("open", "seasonal", "logged", 1, ()),
}


def read(tmp_path: Path, *rows: dict[str, Any] | str, name: str = "log.jsonl") -> pl.DataFrame:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return pl.concat(read_log(str(path), 0))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"eligible": None, "probabilities": None, "days_since": None}, None),
        ({"stream": None, "group": None, "policy": None, "reward": None}, None),
        ({"slot": "open", "eligible": None, "probabilities": None, "days_since": None, "chosen": "x"}, None),
        ({"decision_id": None}, judge.NO_ID),
        ({"user_id": None}, judge.NO_USER),
        ({"user_id": -1}, judge.NO_USER),
        ({"decided_at": None}, judge.NO_TIME),
        ({"decided_at": "soon"}, judge.NO_TIME),
        ({"decided_at": "1970-01-01T00:00:00"}, judge.NO_TIME),
        ({"slot": "elsewhere"}, judge.UNKNOWN_SLOT),
        ({"slot": None}, judge.UNKNOWN_SLOT),
        ({"chosen": None}, judge.NOT_ELIGIBLE),
        ({"chosen": "heavy"}, judge.NOT_ELIGIBLE),
        ({"chosen": "heavy", "eligible": []}, judge.NOT_ELIGIBLE),
        ({"eligible": ["trial", "sold"]}, judge.UNKNOWN_ARM),
        ({"eligible": None, "chosen": "sold"}, judge.NOT_ELIGIBLE),
        ({"eligible": ["trial", "trial"], "probabilities": [0.25, 0.75]}, judge.TWICE_ELIGIBLE),
        ({"probability": 0.0}, judge.BAD_PROBABILITY),
        ({"probability": None}, judge.BAD_PROBABILITY),
        ({"probability": 1.01}, judge.BAD_PROBABILITY),
        ({"probabilities": [0.25, None]}, judge.BAD_PROBABILITY),
        ({"probabilities": [-0.25, 1.25]}, judge.BAD_PROBABILITY),
        ({"probabilities": [0.75]}, judge.OTHER_LENGTH),
        ({"eligible": None}, judge.OTHER_LENGTH),
        ({"slot": "open", "eligible": None, "days_since": None}, judge.OTHER_LENGTH),
        ({"probabilities": [0.25, 0.750002]}, judge.BAD_SUM),
        ({"probabilities": [0.25, 0.7500005]}, None),
        ({"probability": 0.25}, judge.OTHER_PROBABILITY),
        ({"days_since": [1.0]}, judge.DAYS_LENGTH),
        ({"days_since": [None, -0.1]}, judge.NEGATIVE_DAYS),
        ({"stream": "other"}, judge.UNKNOWN_STREAM),
        ({"user_id": "seven"}, NO_ROW),
        ({"probabilities": "half"}, NO_ROW),
    ],
)
def test_each_reason(tmp_path: Path, changed: dict[str, Any], reason: str | None) -> None:
    told = judge.judged(read(tmp_path, SOUND | changed), SLOTS)
    assert told.get_column(judge.REASON).to_list() == [reason]


def test_lines_that_are_none(tmp_path: Path) -> None:
    rows = read(tmp_path, SOUND, "{broken", "", "[1]", "null", '{"decision_id": "d2"}', SOUND)
    told = judge.judged(rows, SLOTS).get_column(judge.REASON).to_list()
    assert told == [None, NO_ROW, NO_ROW, NO_ROW, judge.NO_USER, None]


def test_times_and_numbers_are_read_alike_whatever_stands_beside_them(tmp_path: Path) -> None:
    alone = [
        SOUND,
        SOUND | {"decided_at": "2024-01-02 03:04:05.25"},
        SOUND | {"decided_at": "2024-01-02T05:04:05+02:00"},
        SOUND | {"decided_at": "2024-01-02"},
        SOUND | {"user_id": 7.0, "reward": 1, "probability": 1},
        SOUND | {"user_id": "7"},
        SOUND | {"extra": {"a": [1]}, "days_since": [2, 3]},
        {"decision_id": "short", "slot": "prompt"},
    ]
    # one that isn't JSON sends all the others the slow way
    mixed = read(tmp_path, *alone, "{broken", name="mixed.jsonl")
    apart = pl.concat([read(tmp_path, row) for row in alone])
    assert mixed.head(len(alone)).drop("place", "text").equals(apart.drop("place", "text"))
    second = pl.datetime(2024, 1, 2, 3, 4, 5, time_unit="us", time_zone="UTC")
    expected = pl.select(
        pl.concat_list(
            second, second + pl.duration(milliseconds=250), second,
            pl.datetime(2024, 1, 2, time_unit="us", time_zone="UTC"),
        ).explode()
    ).to_series()  # fmt: skip
    assert apart.get_column("decided_at").head(4).to_list() == expected.to_list()
    assert apart.get_column("user_id").to_list() == [7] * 7 + [None]


def test_a_parquet_file_says_the_same(tmp_path: Path) -> None:
    rows = read(tmp_path, SOUND, SOUND | {"decision_id": "d2", "days_since": None})
    rows.select(SAID.names()).write_parquet(tmp_path / "log.parquet")
    again = pl.concat(read_log(str(tmp_path / "log.parquet"), 0))
    assert again.drop("text").equals(rows.drop("text"))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_packed_files_and_cut_ones(tmp_path: Path, pack: Any) -> None:
    packed = pack(json.dumps(SOUND).encode() * 1)
    path = tmp_path / "log"  # the name says nothing
    path.write_bytes(packed)
    assert pl.concat(read_log(str(path), 0)).get_column("decision_id").to_list() == ["d1"]
    path.write_bytes(packed[:-9])
    with pytest.raises(DataError, match="ends early"):
        list(read_log(str(path), 0))


def test_a_parquet_file_of_something_else(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="no column decision_id, slot"):
        list(read_log(str(tmp_path / "x.parquet"), 0))
    (tmp_path / "y.parquet").write_bytes((tmp_path / "x.parquet").read_bytes()[:40])
    with pytest.raises(DataError, match="can't be read as Parquet"):
        list(read_log(str(tmp_path / "y.parquet"), 0))


def test_one_id_with_two_contents(tmp_path: Path) -> None:
    other = SOUND | {"group": "south"}
    rows = read(tmp_path, SOUND, other, SOUND, other, SOUND | {"decision_id": "d2"})
    sound = judge.judged(rows, SLOTS).select(*SAID, "place")
    nothing = pl.DataFrame(schema={"decision_id": pl.String, "content": pl.String})
    fresh, aside = without_twins(sound, nothing)
    assert fresh.select("decision_id", "group").rows() == [("d1", "north"), ("d2", "north")]
    assert aside.select("decision_id", "group", "reason").rows() == [("d1", "south", judge.TWO_CONTENTS)]
    before = fresh.select("decision_id", judge.content_of())
    fresh, aside = without_twins(sound, before)
    assert fresh.height == 0
    assert aside.get_column("group").to_list() == ["south"]


def test_nobody_is_named_aside(tmp_path: Path) -> None:
    rows = read(tmp_path, SOUND | {"slot": "x", "user_id": 987654}, '{"user_id": 987654, "slot": "pro')
    aside = as_aside(judge.judged(rows, SLOTS), "/private/log.jsonl")
    assert "987654" not in json.dumps(aside.to_dicts())
    assert aside.get_column("source").to_list() == ["log.jsonl"] * 2
    assert aside.get_column("content").n_unique() == 2
    assert without_user('{"a": 1, "user_id": "x, y", "b": 2}') == '{"a": 1, "b": 2}'

"""A sound line is read as the long way would read it, and what is odd in any way is doubtful."""

from __future__ import annotations

import json
import random
import re
from datetime import datetime, timedelta

import pytest
from deliveries import lines_of
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.ingest.contracts import SESSIONS
from pozytywka_spark.ingest.events import with_event_id
from pozytywka_spark.ingest.judging import judge_lines
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.ingest.sound import doubtful_lines, look_first, sound_rows

PLAY = {
    "timestamp": "2023-01-03T05:09:55",
    "user_id": 1,
    "track_id": "7Jau94kk3h9",
    "event_type": "PLAY",
    "session_id": 3,
}
ADVERT = PLAY | {"track_id": "", "event_type": "ADVERTISEMENT"}

# values that a line may hold
TEXTS = ["", "-1", "7", "true", "a b", 'a"b', "a\\b", "ł", "\t", "null", "{", "}", "\x7f", "x" * 100,
         "x" * 101]  # fmt: skip
NUMBERS = [0, 1, -1, -0.0, 1.0, 10**17, 10**18 - 1, 10**18, 2**63, None, True, "1"]
TIMES = [
    "2023-01-03T05:09:55.1",
    "2023-01-03T05:09:55.123456",
    "2023-01-03T05:09:55.1234567",
    "2023-02-30T05:09:55",
    "2023-01-03T25:61:55",
    "2023-01-03T05:09:60",
    "2023-01-03 05:09:55",
    "2023-01-03T05:09:55Z",
    "2023-01-03T05:09:55\t",
    "1999-12-31T23:59:59.999999",
    "2000-01-01T00:00:00",
    "2099-12-31T23:59:59.999999",
    "2100-01-01T00:00:00",
    "05:09:55",
    None,
]
KINDS = ["PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM", "ADVERTISMENT", "play", " PLAY", "BUY", "",
         None]  # fmt: skip
ODD_NUMBERS = ["01", "00", "+1", "-0", "1.0", "1e3", "0x1", "1_0", "1L", " 1 ", ""]
STRANGE = [*'{}[]":,\\ -01e.\t', "\u2028", "\u0085", "\ufeff", "\x00", '"session_id": 2', ', "x": 1']


def mutants(number: int) -> list[str]:
    """Lines with odd values and spacings, and with characters swapped, dropped, doubled or put in."""
    dice = random.Random(11)
    odd = {"timestamp": TIMES, "user_id": NUMBERS, "track_id": [*TEXTS, None], "event_type": KINDS,
           "session_id": NUMBERS}  # fmt: skip
    made = []
    for _ in range(number):
        row = dict(dice.choice([PLAY, ADVERT]))
        for name, values in odd.items():
            if dice.random() < 0.1:
                row[name] = dice.choice(values)
        separators = dice.choice([(", ", ": "), (",", ":"), (", ", ":"), (" , ", " : ")])
        line = json.dumps(row, ensure_ascii=dice.random() < 0.5, separators=separators)
        if dice.random() < 0.1:
            line = re.sub(r"\d+(?=[,}])", dice.choice(ODD_NUMBERS), line, count=dice.choice([1, 2]))
        for _ in range(dice.choice([0, 0, 1, 1, 2])):
            at = dice.randrange(len(line) + 1)
            put = dice.choice(["", line[at : at + 2], *STRANGE])
            line = line[:at] + put + line[at + dice.randrange(2) :]
        made.append(line)
    return [line for line in made if line.strip(" ")]


def fates(judged: DataFrame) -> list[str]:
    """Each row as text, in the order of the lines."""
    columns = sorted(set(judged.columns) - {"source_file", "source_size", "source_modified", "absent"})
    rows = judged.select(*(F.col(name) for name in columns)).orderBy("source_order").collect()
    return [str(row) for row in rows]


def test_whatever_the_line_it_becomes_what_the_long_way_makes_of_it(spark: SparkSession) -> None:
    delivered = lines_of(spark, [PLAY, ADVERT, *mutants(6000)])
    lines = delivered.withColumns({"line_id": F.lit(None).cast("string")}).persist()
    seen = with_event_id(look_first(lines, Judging(4096))).persist()
    doubtful = judge_lines(doubtful_lines(seen), SESSIONS, Judging(4096))
    found = sound_rows(seen).unionByName(doubtful)
    assert fates(found) == fates(judge_lines(lines, SESSIONS, Judging(4096)))
    # both ways were gone often
    sound = sound_rows(seen).count()
    assert 0.15 * lines.count() < sound < 0.6 * lines.count()
    seen.unpersist()
    lines.unpersist()


TIME = datetime(2023, 1, 3, 5, 9, 55)


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")], ids=["as Python", "as Spark"])
def test_plain_lines_are_sound(spark: SparkSession, separators: tuple[str, str]) -> None:
    rows = [PLAY, ADVERT, PLAY | {"timestamp": (TIME + timedelta(milliseconds=7)).isoformat()}]
    lines = lines_of(spark, [json.dumps(row, separators=separators) for row in rows])
    found = sound_rows(look_first(lines, Judging(4096))).orderBy("source_order")
    assert found.select(
        "event_time", "event_type", "user_id", "session_id", "track_id", "notes"
    ).collect() == [
        (TIME, "PLAY", 1, 3, "7Jau94kk3h9", None),
        (TIME, "ADVERTISEMENT", 1, 3, None, ["empty track_id"]),
        (TIME + timedelta(milliseconds=7), "PLAY", 1, 3, "7Jau94kk3h9", None),
    ]


def test_a_line_over_the_limit_is_doubtful(spark: SparkSession) -> None:
    lines = lines_of(spark, [PLAY])
    size = len(json.dumps(PLAY))
    assert [sound_rows(look_first(lines, Judging(limit))).count() for limit in (size - 1, size)] == [0, 1]

"""A sound line is read as the long way would read it, and what is odd in any way is doubtful."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from deliveries import lines_of
from odd_lines import ADVERT, JUDGING, PLAY, mutants
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pozytywka_spark.ingest.contracts import SESSIONS
from pozytywka_spark.ingest.events import with_event_id
from pozytywka_spark.ingest.judging import judge_lines
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.ingest.sound import doubtful_lines, look_first, sound_rows


def fates(judged: DataFrame) -> list[str]:
    """Each row as text, in the order of the lines."""
    columns = sorted(set(judged.columns) - {"source_file", "source_size", "source_modified", "absent"})
    rows = judged.select(*(F.col(name) for name in columns)).orderBy("source_order").collect()
    return [str(row) for row in rows]


def test_whatever_the_line_it_becomes_what_the_long_way_makes_of_it(spark: SparkSession) -> None:
    """Java's pattern and casts, and Python's rules: the pattern alone is compared without Spark elsewhere."""
    delivered = lines_of(spark, [PLAY, ADVERT, *mutants(6000)])
    lines = delivered.withColumns({"line_id": F.lit(None).cast("string")}).persist()
    seen = with_event_id(look_first(lines, JUDGING)).persist()
    doubtful = judge_lines(doubtful_lines(seen), SESSIONS, JUDGING)
    found = sound_rows(seen).unionByName(doubtful)
    assert fates(found) == fates(judge_lines(lines, SESSIONS, JUDGING))
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


def test_an_event_after_the_limit_is_doubtful(spark: SparkSession) -> None:
    limit = datetime(2023, 1, 3, 5, 9, 55, tzinfo=UTC)
    lines = lines_of(spark, [PLAY, PLAY | {"timestamp": "2023-01-03T05:09:55.000001"}])
    for latest, sound in ((limit, 1), (limit + timedelta(microseconds=1), 2), (None, 2)):
        seen = look_first(lines, Judging(4096, latest))
        assert sound_rows(seen).count() == sound
        assert doubtful_lines(seen).count() == 2 - sound

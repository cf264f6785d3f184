"""Spark hands lines to the rules and takes back what they say, row by row."""

import json
from datetime import datetime, timedelta

from deliveries import START, lines_of, sessions, users
from pyspark.sql import functions as F

from pozytywka_spark.ingest import ledger
from pozytywka_spark.ingest.contracts import CONTRACTS
from pozytywka_spark.ingest.lines import as_lines, as_lines_again
from pozytywka_spark.ingest.long_way import as_arrow, judge, judged_schema
from pozytywka_spark.ingest.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.rules.verdict import Judging
from pozytywka_spark.lake import open_lake
from pozytywka_spark.schemas import QUARANTINE, Table

JUDGING = Judging(4096)
EPOCH = datetime(1970, 1, 1)
ODD = ["{", "x" * 5000, '{"a": 1}', '{"a": 1, "a": 2}', "\t", "null", '{"\\ud800": "\\udfff"}']
LINES = {
    "sessions": [json.dumps(row) for row in (*sessions(1), sessions(1)[0] | {"user_id": None, "z": 1})],
    "users": [json.dumps(row) for row in (*users(2), users(1)[0] | {"favourite_genres": [None, 1, "a"]})],
    "artists": ['{"id": "ł", "name": null, "genres": []}', '{"id": " a", "name": "\\u0000", "genres": null}'],
    "tracks": ['{"id": "a", "release_date": "2011-05", "explicit": 1, "energy": 1, "tempo": 99.5, "key": -1}',
               '{"id": "a", "release_date": "1812", "explicit": 0, "duration_ms": 5000000000}'],
    "track_storage": ['{"track_id": "a", "storage_class": "slow", "daily_cost": 0}'],
}  # fmt: skip


def test_each_row_is_what_the_rules_say_of_its_line(spark) -> None:
    for contract in CONTRACTS:
        lines, rules = [*LINES[contract.entity], *ODD], ENTITIES[contract.entity]
        judged = judge(lines_of(spark, lines), contract, JUDGING, keep_text=True)
        assert judged.schema == judged_schema(contract)
        for row, line in zip(judged.orderBy("source_order").collect(), lines, strict=True):
            said = judge_line(line.encode(), rules, JUDGING, keep_text=True)
            fields = [name for name in said._fields if name not in ("columns", "line_id")]
            assert [row[name] for name in fields] == [getattr(said, name) for name in fields]
            assert [as_told(row[name]) for name in rules.columns] == list(said.columns)
            assert (row["line_id"], row["source_modified"]) == (f"file:/d/sessions.jsonl#{line}", START)


def as_told(value):
    """A value of a row as the rules give it."""
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    return (value - EPOCH.date()).days if hasattr(value, "toordinal") else value


def test_bytes_that_are_not_utf8_come_as_they_are(spark) -> None:
    lines = lines_of(spark, ["x"]).withColumn("value", F.expr("cast(unhex('7BFF7D') as string)"))
    row = judge(lines, CONTRACTS[-1], JUDGING).first()
    assert (row["reason"], row["rule"], row["raw"]) == ("invalid_utf8", "UTF-8; byte 2 is not", "{\ufffd}")


def test_columns_are_cast_by_name() -> None:
    for contract in CONTRACTS:
        schema = judged_schema(contract)
        assert as_arrow(schema).names == schema.names
        assert set(ENTITIES[contract.entity].columns) < set(schema.names)


def test_the_unit_of_a_file_goes_with_its_lines_into_quarantine_and_out(spark, settings) -> None:
    line = json.dumps(sessions(1)[0] | {"timestamp": 1672912800, "event_type": "NAP"})
    batch = spark.createDataFrame(
        [(line, "s", 7), (line, None, 8)], "value string, time_unit string, source_order bigint"
    )
    place = F.struct(F.lit("f").alias("file_path"), F.lit(1).cast("bigint").alias("file_size"),
                     F.current_timestamp().alias("file_modification_time"))  # fmt: skip
    judged = judge(as_lines(batch.withColumns({"_metadata": place})), CONTRACTS[-1], JUDGING)
    found = judged.orderBy("source_order").select("source_order", "reason", "time_unit").collect()
    assert found == [(7, "unknown_event_type", "s"), (8, "wrong_type", None)]
    # quarantine of a release that knew no units
    older = Table(QUARANTINE.name, QUARANTINE.schema[:-1], QUARANTINE.keys, QUARANTINE.partition_by)
    lake = open_lake(settings, spark)
    row = {"quarantine_id": "q", "entity": "sessions", "raw": "{", "source_file": "f", "source_order": 1}
    lake.append(spark.createDataFrame([row], older.schema), older)
    again = as_lines_again(ledger.quarantined(lake, "sessions")).first()
    assert (again["value"], again["line_id"], again["time_unit"]) == ("{", "q", None)

"""The job's commands on a small lake: sweep, status, lineage, the logged answers, exit codes and JSON."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pyspark.sql import SparkSession

from pozytywka_spark.errors import DataError, UsageError
from pozytywka_spark.featurestore.client import FeatureClient
from pozytywka_spark.featurestore.lineage import lineage
from pozytywka_spark.featurestore.online import target_of
from pozytywka_spark.featurestore.serve.answer_log import AnswerLog, log_folder
from pozytywka_spark.featurestore.served import verify_served
from pozytywka_spark.featurestore.status import status
from pozytywka_spark.featurestore.sweep import sweep
from pozytywka_spark.featurestore.verify import verify
from pozytywka_spark.months import cut_off_micros
from tests.featurestore.small_lake import SmallLake, month, online
from tests.featurestore.test_materialize import load, small_lake
from tests.running import run

VIEW = "user_month"


def differences(small: SmallLake) -> dict[str, int]:
    return {kind: count for each in verify(small.settings, small.lake) for kind, count in each.kinds.items()}


def test_sweep_removes_what_has_expired_and_nothing_else(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    # the newest cut-off is 1 June: rows of February are known on 1 March, 92 days before; of March 61 days
    small.put_features({month(1): [1, 2], month(2): [3], month(4): [4]})
    small.put_tracks({"t": "a"})
    load(small)
    assert {each.view: (each.deleted, each.now) for each in sweep(small.settings)} == {
        VIEW: (2, "2023-06-01 00:00")
    }
    assert online(small.settings, VIEW).keys() == {"3", "4"}
    assert differences(small) == {}
    assert sweep(small.settings)[0].deleted == 0
    # a change of an old month brings those of it back, and a sweep takes them away again
    small.put_features({month(1): [2, 5]})
    load(small)
    assert online(small.settings, VIEW).keys() == {"2", "3", "4", "5"}
    assert differences(small) == {}
    assert sweep(small.settings)[0].deleted == 2
    # what hasn't expired mustn't be absent
    with target_of(small.settings).open() as store:
        store.delete_many(VIEW, ["3"], store.begin(VIEW))
    assert differences(small) == {"missing": 1}
    load(small, full=True)
    assert online(small.settings, VIEW).keys() == {"2", "3", "4", "5"}
    assert sweep(small.settings, views=["track_profile"]) == []
    with pytest.raises(UsageError, match=r"^no view x"):
        sweep(small.settings, views=["x"])


def test_status_tells_lag_age_and_size(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    small.put_features({month(0): range(500)})
    load(small)
    small.put_tracks({"t": "a"})

    def told() -> dict[str, Any]:
        return {each.view: each for each in status(small.settings, small.lake)}

    first = told()
    assert {name: each.state for name, each in first.items()} == {
        "user_month": "fresh",
        "user_score": "no table",
        "track_popularity": "no table",
        "track_profile": "not stored",
        "artist_profile": "not stored",
    }
    assert (first[VIEW].keys, first[VIEW].lag, first[VIEW].age_days) == (500, 0, 0.0)
    assert 900 < first[VIEW].bytes_a_key < 2500
    assert first[VIEW].many_gb == pytest.approx(first[VIEW].bytes_a_key * 0.05)
    load(small)
    small.put_features({month(1): [1]})
    behind = told()[VIEW]
    assert (behind.state, behind.lag, behind.age_days, behind.is_late) == ("behind", 1, 28.0, False)
    small.put_features({month(2): [1]})
    stale = told()[VIEW]
    assert (stale.state, stale.lag, stale.age_days, stale.is_late) == ("stale", 2, 59.0, True)
    load(small)
    assert told()[VIEW].state == "fresh"


def test_fifty_values_are_traced_to_the_version_that_holds_them(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    for step in range(4):  # four versions; each leaves some users' newest rows to the one before
        small.put_features({month(step): range(5 * step, 40)})
        load(small, VIEW)
    stored, of_version, seen = online(small.settings, VIEW), dict[int, pl.DataFrame](), set[int]()
    names = small.lake.schema("features").names[2:]  # type: ignore[union-attr]
    for _ in range(50):
        key, feature = small.dice.choice(sorted(stored)), small.dice.choice(names)
        traced = lineage(small.settings, small.lake, view=VIEW, key=key, feature=feature)
        assert traced.holds
        version = traced.table_version
        seen.add(version)
        if version not in of_version:
            of_version[version] = pl.read_delta(small.lake.path("features"), version=version)
        mine = of_version[version].filter(user_id=int(key)).sort("month").row(-1, named=True)
        assert f"{mine['month']:%Y-%m}" == traced.month
        assert cut_off_micros(mine["month"]) == traced.known_at
        bits = stored[key][1][names.index(feature)]
        assert (bits is None) == (traced.value is None)
        if traced.value is not None:
            assert struct.pack("<d", traced.value) == bits
            held = float(mine[feature])
            assert held == traced.value or (math.isnan(held) and math.isnan(traced.value))
        assert len(traced.code_hash) == len(traced.catalogue_hash) == 64
    assert len(seen) == 4


def test_a_value_that_its_version_does_not_hold(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    small.put_tracks({"t": "a", "u": "a"})
    load(small)
    assert lineage(small.settings, small.lake, view="artist_profile", key="a", feature="tracks").holds
    with target_of(small.settings).open() as store:
        (value,) = store.get_many("artist_profile", ["a"])
        assert value is not None
        changed = value[:25] + struct.pack("<d", 3.0) + value[33:]
        store.write_many("artist_profile", ["a"], [changed], store.begin("artist_profile"))
    traced = lineage(small.settings, small.lake, view="artist_profile", key="a", feature="tracks")
    assert (traced.value, traced.holds, traced.month) == (3.0, False, "")
    flags = ("lineage", "--view", "artist_profile", "--key", "a", "--feature", "tracks")
    assert run("featurestore", f"home={tmp_path}", flags=flags) == 4
    with pytest.raises(UsageError, match="view artist_profile has no column x"):
        lineage(small.settings, small.lake, view="artist_profile", key="a", feature="x")
    with pytest.raises(DataError, match="key b is not in the online store"):
        lineage(small.settings, small.lake, view="artist_profile", key="b", feature="tracks")


def served_once(small: SmallLake, *asked: tuple[list[str], int | None]) -> None:
    """Answers of the client's, logged as the endpoint logs them."""
    log = AnswerLog(log_folder(small.settings), 1.0)
    with FeatureClient.open(target_of(small.settings).address) as client:
        for keys, as_of in asked:
            log.offer("premium", keys, {VIEW: client.get(VIEW, keys, as_of)})
    log.close()


def test_logged_answers_are_worked_out_again(spark: SparkSession, tmp_path: Path) -> None:
    small = small_lake(spark, tmp_path)
    small.put_features({month(0): [1, 2, 3], month(1): [2]})
    load(small)
    served_once(small, (["1", "2", "99"], None), (["3"], cut_off_micros(month(4))))
    small.put_features({month(1): [1, 2]})
    load(small)
    served_once(small, (["1", "2"], None))
    done = verify_served(small.settings, small.lake)
    # 99 is no user
    assert (done.taken_in, done.compared, done.skipped, done.differences) == (6, 5, 1, 0)
    statuses = {(row["key"], row["status"]) for row in small.lake.rows("served").to_pylist()}
    assert statuses == {("1", "present"), ("2", "present"), ("99", "missing"), ("3", "expired")}
    again = verify_served(small.settings, small.lake)
    assert (again.taken_in, again.compared) == (0, 5)

    # an answer that never was right
    (file, *_) = sorted(log_folder(small.settings).glob("*.jsonl"))
    line = json.loads(file.read_text().splitlines()[0])
    line["answer_id"] = "wrong"
    line["views"][VIEW]["values"][0][5] = 0.123
    with file.open("a") as log:
        log.write(json.dumps(line) + "\n" + '{"half')
    wrong = verify_served(small.settings, small.lake)
    assert (wrong.taken_in, wrong.differences) == (len(line["views"][VIEW]["keys"]), 1)
    assert wrong.shown[0].startswith("wrong: view user_month, key 1: ")
    assert run("featurestore", f"home={tmp_path}", flags=("verify", "--served")) == 4


def test_what_the_job_says(spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = small_lake(spark, tmp_path)
    small.put_features({month(0): [1, 2]})

    def told(code: int, *flags: str) -> dict[str, Any]:
        assert run("featurestore", f"home={tmp_path}", flags=(*flags, "--json")) == code
        return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))

    assert "run `featurestore materialize` first" in told(0, "views")["reason"]
    assert told(0, "materialize")["written"] == 2
    nothing = told(0, "materialize", "--view", VIEW)
    assert (nothing["written"], nothing["deleted"]) == (0, 0)
    small.put_features({month(0): [2]})
    changed = told(0, "materialize")
    assert (changed["written"], changed["deleted"]) == (1, 1)
    assert told(0, "status")["views"][0]["lag"] == 0
    listed = told(0, "views")
    assert listed["views"][0]["consumers"] == ["premium", "prompt"]
    assert listed["views"][0]["keys"] == 1
    assert told(0, "verify", "--sample", "5")["differences"] == 0
    with target_of(small.settings).open() as store:
        store.delete_many(VIEW, ["2"], store.begin(VIEW))
    assert told(4, "verify")["differences"] == 1
    assert told(0, "sweep")["deleted"] == 0
    small.put_features({month(3): [2]})
    assert told(4, "status")["late"] is True


@pytest.mark.parametrize(
    ("code", "message", "flags"),
    [
        (2, "no view x: there are user_month, ", ("materialize", "--view", "x")),
        (1, "view user_month: table features is not in ", ("materialize", "--view", "user_month")),
        (1, "no online store in ", ("verify",)),
        (1, "no online store in ", ("status",)),
        (1, "no online store in ", ("sweep",)),
        (1, "no online store in ", ("lineage", "--view", VIEW, "--key", "1", "--feature", "skip_rate")),
        (2, "view user_month has no column y", ("lineage", "--view", VIEW, "--key", "1", "--feature", "y")),
    ],
)
def test_refused_in_one_line(
    spark: SparkSession,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    code: int,
    message: str,
    flags: tuple[str, ...],
) -> None:
    assert run("featurestore", f"home={tmp_path}", flags=flags) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {message}")


def test_a_store_that_does_not_answer(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "featurestore.address=redis://127.0.0.1:1/0"
    assert run("featurestore", f"home={tmp_path}", address, flags=("materialize",)) == 1
    assert "doesn't answer" in capsys.readouterr().err

"""What a training's run says of its inputs, its command and its name: no Spark, a real store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import TrackingError
from pozytywka_spark.schemas import EVENTS, USERS
from pozytywka_spark.tracking import notes, runs
from pozytywka_spark.tracking.inputs import Input, log_inputs
from pozytywka_spark.tracking.run_names import monitoring_name, training_name
from pozytywka_spark.tracking.source import command
from pozytywka_spark.tracking.sources import schema_of
from pozytywka_spark.tracking.store import Tracking, connect

USED = {"months": "2022-01..2022-02", "rows": 5, "positives": 2}


@pytest.fixture
def tracking(tmp_path: Path) -> Tracking:
    return connect(load_settings("local", [f"home={tmp_path}"]))


def test_inputs_are_named_once_with_their_version_even_0(tracking: Tracking) -> None:
    from mlflow.data import get_source

    inputs = [
        Input("features", 0, "/lake/features", "training", "2023-01-01", schema_of(USERS), USED),
        Input("features", 0, "/lake/features", "test", "2023-01-01", (), USED | {"months": "2022-06"}),
        Input("users", 7, "/lake/users", "source"),
    ]
    with runs.run(tracking, "train", tags={}) as run:
        log_inputs(tracking, run, inputs)
        log_inputs(tracking, run, inputs)
    with runs.run(tracking, "train", tags={}) as another:
        log_inputs(tracking, another, inputs[2:])
    found = tracking.client.get_run(run).inputs.dataset_inputs
    rows = sorted((*of_input(entry), entry.tags[0].value) for entry in found)
    assert rows == [
        ("features", 0, "/lake/features", "test"),
        ("features", 0, "/lake/features", "training"),
        ("users", 7, "/lake/users", "source"),
    ]
    loaded = get_source(found[0].dataset)  # MLflow's own reader
    assert (loaded.path, loaded.delta_table_version) == of_input(found[0])[:0:-1]
    same = tracking.client.get_run(another).inputs.dataset_inputs[0].dataset.digest
    assert same in {entry.dataset.digest for entry in found}
    query = "dataset.name = 'features' and dataset.context = 'test'"
    assert len(tracking.client.search_runs([tracking.experiment_id], query)) == 1


def of_input(entry: Any) -> tuple[str, int, str]:
    source = json.loads(entry.dataset.source)
    return entry.dataset.name, source["delta_table_version"], source["path"]


def test_a_digest_is_of_a_version_of_a_table_and_of_the_part_used() -> None:
    base = Input("labels", 3, "/lake/labels", "training", "2023-01-01T00:00:00", (), USED)
    assert base.digest == replace(base, context="test", schema=schema_of(USERS)).digest
    others = [
        replace(base, version=4),
        replace(base, address="/other/labels"),
        replace(base, committed="2023-01-02T00:00:00"),  # the lake was made anew in the same place
        replace(base, profile=USED | {"rows": 6}),
    ]
    assert len({entry.digest for entry in (base, *others)}) == 5


def test_schemas_are_what_mlflow_reads() -> None:
    from mlflow.types import Schema

    read = Schema.from_json(json.dumps(schema_of(EVENTS)))
    assert [column.name for column in read] == list(EVENTS.columns)
    genres = next(column for column in schema_of(USERS) if column["name"] == "favourite_genres")
    assert genres == {
        "name": "favourite_genres",
        "required": False,
        "type": "array",
        "items": {"type": "string"},
    }


def test_inputs_of_a_store_out_of_reach_are_one_line(tracking: Tracking) -> None:
    with pytest.raises(TrackingError) as refused:
        log_inputs(tracking, "0" * 32, [Input("users", 7, "/lake/users", "source")])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["/srv/x/jobs/train.py", "--tune"], "scripts/submit.sh train --tune"),
        (["/venv/bin/pozytywka", "train", "--tune"], "pozytywka train --tune"),
        (["jobs/train.py", "--set", "a=b c"], "scripts/submit.sh train --set 'a=b c'"),
        (
            ["jobs/pipeline.py", "--set", "mlflow.tracking_uri=http://anna:hush@host:5000"],
            "scripts/submit.sh pipeline --set mlflow.tracking_uri=http://host:5000",
        ),
        (["jobs/train.py", "--set", "x.secret_key=hush"], "scripts/submit.sh train --set 'x.secret_key=***'"),
        (
            ["jobs/train.py", "--set", 'spark.conf={"fs.s3a.secret.key": "hush", "a": "b"}'],
            'scripts/submit.sh train --set spark.conf={"fs.s3a.secret.key": "***", "a": "b"}',
        ),
        (["jobs/train.py", "--set", f"home={Path.home()}/run"], "scripts/submit.sh train --set 'home=~/run'"),
        (["/usr/lib/ipykernel_launcher.py", "-f", "/run/user/1/kernel.json"], "ipykernel_launcher.py"),
        ([], "python"),
    ],
)
def test_the_source_is_the_command_without_what_is_nobodys_business(argv: Sequence[str], told: str) -> None:
    assert command(argv).replace("'", "") == told.replace("'", "")


def test_names() -> None:
    months = [date(2022, 1, 1), date(2022, 12, 1), date(2022, 3, 1)]
    assert training_name(months, "xgboost", tuned=False) == "train · 2022-01..2022-12 · xgboost"
    assert training_name(months, "xgboost", tuned=True, version=3) == (
        "train v3 tuned · 2022-01..2022-12 · xgboost"
    )
    assert monitoring_name(["2023-02"], 3) == "monitor v3 · 2023-02"
    assert monitoring_name(["2023-02", "2023-01"], 3) == "monitor v3 · 2023-01..2023-02"
    assert monitoring_name([], 3) == "monitor v3"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, f"ours\n\n{notes.BELOW}"),
        ("", f"ours\n\n{notes.BELOW}"),
        ("theirs", f"ours\n\n{notes.BELOW}\n\ntheirs"),
        (f"our old\n\n{notes.BELOW}", f"ours\n\n{notes.BELOW}"),
        (f"our old\n\n{notes.BELOW}\n\ntheirs", f"ours\n\n{notes.BELOW}\n\ntheirs"),
    ],
)
def test_notes_below_the_line_are_kept(before: str | None, after: str) -> None:
    assert notes.with_notes("ours", before) == after
    assert notes.with_notes("ours", after) == after

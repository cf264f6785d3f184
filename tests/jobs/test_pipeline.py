"""The main job through its real entry point, on an embedded world small enough for a test."""

import json
import os
import re
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import polars as pl
import pytest
from pyspark.sql import SparkSession

from tests.at_terminal import CONTROL, at_terminal, left_on_screen
from tests.digests import digests
from tests.running import JOBS, run
from tests.worlds.made_delivery import FEW_MONTHS

TINY = [
    "synthetic.users=200", "synthetic.months=5", "synthetic.tracks=400", "synthetic.played_tracks=200",
    "synthetic.artists=60", "synthetic.truth_paths=0", *FEW_MONTHS,
]  # fmt: skip
SILVER_ROWS = {"users": 50, "artists": 10_657, "tracks": 21_608, "track_storage": 21_608, "events": 19_348}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A finished pipeline's home, and what it printed; started as people start it, with their settings."""
    home = tmp_path_factory.mktemp("home")
    overrides = [part for override in (f"home={home}", *TINY) for part in ("--set", override)]
    environment = {key: value for key, value in os.environ.items() if key != "POZYTYWKA_CONF"}
    done = subprocess.run(
        ["bash", JOBS.parent / "scripts" / "submit.sh", "pipeline", *overrides],
        env=environment, cwd=home, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "something beside the job spoke"
    return home, done.stdout


@contextmanager
def _printed():  # type: ignore[no-untyped-def]
    from pozytywka_spark import cli

    with cli.OUT.capture() as capture:
        yield capture.get


def test_the_embedded_pipeline_tells_what_a_newcomer_asks(made: tuple[Path, str]) -> None:
    home, shown = made
    for told in (
        "make the embedded Pozytywka done in", "start Spark done in", "ingest done in",
        "Ingest 1: raw rows", "quality report: ", "features done in",
        "train done in", "score done in", "positives", f"tables   {home}/lake",
        "mlflow ui --backend-store-uri",
    ):  # fmt: skip
        assert told in shown
    table = shown[shown.index("models on the test months") :]
    for model in ("majority", "logistic", "xgboost"):
        assert re.search(rf"^{model}\s+0\.\d+\s+0\.\d+", table, re.MULTILINE), table


def test_stages_are_a_line_each_and_a_narrow_table_in_the_end(made: tuple[Path, str]) -> None:
    _, shown = made
    lines = shown.splitlines()
    # of so few users the process makes, takes in and builds all by itself
    stages = [
        "make the embedded Pozytywka", "ingest", "features", "start Spark", "train", "score", "materialize",
    ]  # fmt: skip
    assert [line.split(" done in ")[0] for line in lines if " done in " in line] == [
        f"▸ {name}" for name in stages
    ]
    assert all(" done in " in line for line in lines[: len(stages)])
    table = lines[lines.index("stages") + 1 :]
    assert [re.split(r"  +", line)[0] for line in table] == ["stage", *stages]
    assert max(map(len, table)) <= 100
    assert "\x1b" not in shown


def test_a_second_run_at_a_terminal_says_nothing_new_and_changes_nothing(made: tuple[Path, str]) -> None:
    home, _ = made
    before = digests(home / "lake")
    assert {"users", "events", "user_month", "features", "labels", "predictions"} <= set(before)
    overrides = [part for override in (f"home={home}", *TINY) for part in ("--set", override)]
    submit = ["bash", JOBS.parent / "scripts" / "submit.sh", "pipeline", *overrides]
    code, written = at_terminal(submit, 100, {k: v for k, v in os.environ.items() if k != "POZYTYWKA_CONF"})
    assert code == 0, written
    assert re.search(r". make the embedded \w+ … \d+ s", CONTROL.sub("", written)), "nothing moved"
    lines = left_on_screen(written)
    assert not [line for line in lines if "…" in line], "what moved still stands there"
    table = [line for line in lines[lines.index("stages") + 1 :] if line]
    assert [re.split(r"  +", line)[0] for line in table[-5:]] == [
        "ingest",
        "features",
        "train",
        "score",
        "materialize",
    ]
    assert all("nothing new" in line and len(line) <= 100 for line in table[-5:])
    assert digests(home / "lake") == before
    assert "version 1 (champion: 1)" in "\n".join(lines)


def test_every_prediction_is_of_a_free_user_of_the_last_month(made: tuple[Path, str]) -> None:
    home, _ = made
    features, predictions = (
        pl.read_delta(f"{home}/lake/{name}").select(["user_id", "month", *more])
        for name, more in (("features", []), ("predictions", ["probability"]))
    )
    wanted = features.filter(pl.col("month") == pl.col("month").max())
    assert sorted(predictions.drop("probability").rows()) == sorted(wanted.rows())
    assert predictions["probability"].is_between(0, 1, closed="none").all()


def test_mlflow_holds_the_three_models_side_by_side(made: tuple[Path, str]) -> None:
    import mlflow

    home, _ = made
    client = mlflow.MlflowClient(f"sqlite:///{home}/mlflow.db")
    experiment = client.get_experiment_by_name("pozytywka-premium")
    runs = client.search_runs([experiment.experiment_id])
    metrics = {run.data.tags["mlflow.runName"]: set(run.data.metrics) for run in runs if run.data.metrics}
    models = [metrics[name] for name in ("majority", "logistic", "xgboost")]
    assert {"roc_auc", "pr_auc", "log_loss"} <= set.intersection(*models)
    parent = next(run for run in runs if run.data.tags.get("kind") == "training")
    settings = client.download_artifacts(parent.info.run_id, "settings.json")
    assert json.loads(Path(settings).read_text())["synthetic"]["users"] == 200


def test_the_real_delivery_says_plainly_how_few_positives_it_has(
    spark: SparkSession, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with _printed() as text:
        code = run("pipeline", f"raw.path={sample}", f"home={tmp_path}", "label.horizon_days=14")
    error = capsys.readouterr().err
    assert code == 1
    assert "positive" in error
    assert error.count("\n") == 1
    rows = {name: content[0] for name, content in digests(tmp_path / "lake").items()}
    assert rows | SILVER_ROWS == rows
    assert "quarantine" not in rows
    assert rows["features"] == rows["labels"] == 76
    assert "features done in" in text()


def test_a_partial_delivery_is_taken_in_and_what_is_missing_is_named(
    spark: SparkSession, dirty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("pipeline", f"raw.path={dirty}", f"home={tmp_path}") == 1
    assert re.search(r"error: .*tracks, track_storage.*ingest", capsys.readouterr().err)
    assert digests(tmp_path / "lake")["users"][0] == 50


Prepare = Callable[[Path], list[str]]


def _with_sessions(text: str) -> Prepare:
    def prepare(folder: Path) -> list[str]:
        (folder / "raw").mkdir()
        (folder / "raw" / "sessions.jsonl").write_text(text)
        return [f"raw.path={folder / 'raw'}"]

    return prepare


@pytest.mark.parametrize(
    ("name", "prepare", "code", "told"),
    [
        (
            "ingest",
            lambda f: [f"raw.path={f}/nowhere"],
            1,
            r"nowhere.*(no such folder|does not exist|not there)",
        ),
        ("ingest", _with_sessions(""), 1, r"raw\.path=.*only empty files; expected at least one of"),
        (
            "ingest",
            _with_sessions('{"timestamp": \n'),
            1,
            r"sessions\.jsonl: 1 of 1 rows \(100%\) are unusable, 1 of them malformed.*accept_bad_share",
        ),
        ("features", lambda f: [], 1, r"features need the tables .*ingest"),
        ("train", lambda f: [], 1, r"table features is not in .*run the features job"),
        ("score", lambda f: [], 1, r"table features is not in .*run the features job"),
        (
            "ingest",
            lambda f: [*_with_sessions("{}\n")(f), "lake.root=/proc/pozytywka"],
            1,
            r"lake\.root /proc/pozytywka.*choose a folder",
        ),
        ("pipeline", lambda f: ["colour=red"], 2, r"unknown setting colour"),
        ("pipeline", lambda f: ["synthetic.users=many"], 2, r"synthetic\.users='many'.*integer"),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(
    spark: SparkSession,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    prepare: Prepare,
    code: int,
    told: str,
) -> None:
    overrides = prepare(tmp_path)
    with _printed():
        assert run(name, f"home={tmp_path / 'home'}", *overrides) == code
    error = capsys.readouterr().err
    assert error.count("\n") == (1 if code else 0)
    assert re.search(told, error), error


def test_a_month_without_events_is_named(made: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    home, _ = made
    with _printed():
        assert run("score", f"home={home}", flags=("--month", "2031-01")) == 1
    assert re.search(r"no user to score in 2031-01.*has months 2022-01 to", capsys.readouterr().err)


def test_no_registered_model_is_named(made: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    home, _ = made
    with _printed():
        assert run("score", f"home={home}", "mlflow.model_name=nobody") == 1
    assert re.search(r"no model nobody@champion.*run the train job first", capsys.readouterr().err)


def test_a_changed_catalogue_is_refused(made: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    home, _ = made
    with _printed():
        assert run("score", f"home={home}", "features.drop=[number_of_skips]") == 1
    assert re.search(r"guard order: feature 3 is .*number_of_skips", capsys.readouterr().err)


def test_an_mlflow_port_that_someone_else_has_is_named(
    made: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    home, _ = made

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 http.server's name

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        uri = f"http://127.0.0.1:{server.server_port}"
        with _printed():
            assert run("score", f"home={home}", f"mlflow.tracking_uri={uri}") == 1
    finally:
        server.shutdown()
        server.server_close()
    error = capsys.readouterr().err
    assert uri in error
    assert "mlflow.tracking_uri" in error
    assert error.count("\n") == 1


def test_an_mlflow_server_that_is_down_is_named(
    made: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    home, _ = made
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with _printed():
        assert run("score", f"home={home}", f"mlflow.tracking_uri=http://127.0.0.1:{port}") == 1
    assert re.search(rf"127\.0\.0\.1:{port}.*the server up", capsys.readouterr().err)

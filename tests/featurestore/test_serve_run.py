"""From settings to a process that listens, scores with the registry's champion, and ends when it is told."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.errors import StoreError, UsageError
from pozytywka_spark.featurestore.record import SERVICES
from pozytywka_spark.featurestore.serve import run
from pozytywka_spark.featurestore.serve.answer_log import answers_in, log_folder
from pozytywka_spark.featurestore.serve.champion import Registry
from pozytywka_spark.featurestore.stores import open_store
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.store import connect
from tests.featurestore.stored import MAY, MIXED, MONTHS, SCORES, put

SERVER = """
import sys
from pozytywka_spark.config import load_settings
from pozytywka_spark.featurestore.serve import run
from pozytywka_spark.featurestore.serve.champion import Registry
run.mlflow_registry = lambda settings: Registry(lambda: None, None)  # MLflow takes seconds
settings = load_settings("local", sys.argv[1:])
run.serve(settings, 0, say=lambda line: print(line, flush=True))
print("over")
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a home whose store holds two views."""
    settings = load_settings("local", [f"home={tmp_path}", "featurestore.log_share=1"])
    with open_store(f"lmdb:{tmp_path}/featurestore", create=True) as store:
        rows = {"key": ["1"], "known_at": [MAY], "version": [9], "plays": [10.0], "skips": [None]}
        put(store, MONTHS, rows)
        put(store, SCORES, {"key": ["1"], "known_at": [MAY], "version": [4], "probability": [0.25]})
        store.set_note(SERVICES, {"mixed": MIXED.plain()})
    return settings


def nobody() -> Registry:
    return Registry(lambda: None, lambda number: pytest.fail("there is none to load"))


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_until_it_is_told_to_end(settings: Settings, told: signal.Signals) -> None:
    command = [sys.executable, "-c", SERVER, f"home={settings.home}", "featurestore.log_share=1"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line
        body = json.dumps({"service": "mixed", "keys": [1]}).encode()
        request = Request(f"{line.split()[-1]}/v1/features", body)
        with urlopen(request, timeout=30) as answer:
            assert json.load(answer)["rows"][0]["values"] == [None, 0.25, 10.0]
        server.send_signal(told)
        out, errors = server.communicate(timeout=30)
    finally:
        server.kill()
    assert (out, errors, server.returncode) == ("over\n", "", 0)
    (file,) = log_folder(settings).iterdir()
    assert len(list(answers_in(file))) == 1, "what waited was written"


def test_a_port_that_is_taken(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            UsageError, match=f"nothing can listen on 127.0.0.1 port {port}: Address already in"
        ):
            run._listening("127.0.0.1", port).__enter__()
    with pytest.raises(UsageError, match="port must be 0-65535"):
        run._listening("127.0.0.1", 65_536).__enter__()


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    settings = load_settings("local", [f"home={tmp_path}"])
    with pytest.raises(StoreError, match="run `featurestore materialize` first"):
        run.serving_of(settings, nobody()).__enter__()


def test_a_champion_is_looked_for_while_it_runs(settings: Settings) -> None:
    model = ServingModel(Linear((0.0,), (1.0,), (1.0,), 0.0), ("plays",), "", "buys_ever", 30, 0.1, version=3)
    number: list[int | None] = [None]
    often = settings.model_copy(
        update={"featurestore": settings.featurestore.model_copy(update={"refresh_seconds": 0.01})}
    )
    with run.serving_of(often, Registry(lambda: number[0], lambda _: model)) as serving:
        assert serving.champion.version is None
        number[0] = 3
        for _ in range(500):
            if serving.champion.version == 3:
                break
            time.sleep(0.02)
        assert serving.champion.version == 3


def test_what_waits_for_the_log_is_written_as_it_ends(settings: Settings) -> None:
    with run.serving_of(settings, nobody()) as serving:
        answer = serving.client.get("user_month", [1])
        for _ in range(500):
            serving.log.offer("plays", ["1"], {"user_month": answer})
    (file,) = log_folder(settings).iterdir()
    assert len(list(answers_in(file))) == 500


@pytest.mark.thorough
def test_models_come_from_mlflow(settings: Settings) -> None:
    line = Linear((1.0, 0.0), (2.0, 1.0), (0.5, -0.25), 0.125)
    model = ServingModel(line, ("plays", "skips"), "hash", "buys_ever", 30, 0.1)
    models = run.mlflow_registry(settings)
    assert models.champion() is None
    tracking = connect(settings)
    with runs.run(tracking, "serve", tags={}) as run_id:
        logged = registry.log_model(tracking, run_id, model, {"numpy": np.__version__})
    version = registry.register(tracking, run_id, logged, {})
    assert models.champion() is None
    registry.set_alias(tracking, registry.CHAMPION, version.number)
    assert models.champion() == version.number
    loaded = models.load(version.number)
    assert (loaded.predictor, loaded.features, loaded.catalogue_hash) == (line, model.features, "hash")


@pytest.mark.thorough
def test_a_registry_that_is_down_is_told_and_asked_again(tmp_path: Path, settings: Settings) -> None:
    nowhere = f"sqlite:///{tmp_path}/a-file/mlflow.db"
    (tmp_path / "a-file").write_text("no folder")
    down = load_settings("local", [f"home={settings.home}", f"mlflow.tracking_uri={nowhere}"])
    with run.serving_of(down) as serving:
        assert "can't open MLflow" in serving.champion.trouble
        (tmp_path / "a-file").unlink()
        serving.champion.refresh()
        assert serving.champion.trouble == "the registry has no champion"

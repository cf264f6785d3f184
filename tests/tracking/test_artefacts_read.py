"""A run's artefacts are read where they lie, and fetched from a store elsewhere."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pozytywka_spark.errors import TrackingError
from pozytywka_spark.tracking import runs
from pozytywka_spark.tracking.store import Tracking


class Client:
    """MLflow's, of one run whose artefacts lie below `root`."""

    def __init__(self, root: str) -> None:
        self.root = root

    def get_run(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(info=SimpleNamespace(artifact_uri=self.root))

    def download_artifacts(self, _: str, file: str, folder: str) -> str:
        assert not self.root.startswith(("/", "file:")), "what lies here need not be copied"
        place = Path(folder) / file
        place.write_text('{"from": "elsewhere"}')
        return str(place)


def read(root: str) -> object:
    return runs.read_json(Tracking(Client(root), "store", "1", "model"), "run", "facts.json")


def test_a_file_is_read_where_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "facts.json").write_text('{"from": "here"}')
    assert read(folder.as_uri()) == {"from": "here"}
    assert read(str(folder)) == {"from": "here"}
    with pytest.raises(TrackingError, match=r"can't read facts\.json of run run from"):
        read(tmp_path.as_uri())


@pytest.mark.parametrize("root", ["s3://bucket/1/run", "mlflow-artifacts:/1/run", "dbfs:/mlflow/1/run"])
def test_one_of_a_store_elsewhere_is_fetched(root: str) -> None:
    assert read(f"{root}/artifacts") == {"from": "elsewhere"}

"""The helpers of this folder are imported by name; its many small plans are interpreted, not compiled."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module", autouse=True)
def _interpreted(request, spark):
    """Compiling a plan costs a second, running it on some hundred rows none; real deliveries are compiled."""
    if request.module.__name__ == "test_ingest_real_deliveries":
        yield
        return
    off = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
    before = {key: spark.conf.get(key) for key in off}
    for key, value in off.items():
        spark.conf.set(key, value)
    yield
    for key, value in before.items():
        spark.conf.set(key, value)

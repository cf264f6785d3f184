"""The helpers of this folder are imported by name; its many small plans are interpreted, not compiled."""

import sys
from pathlib import Path

import pytest

from pozytywka_spark.spark.temporary_conf import interpreted

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module", autouse=True)
def _interpreted(request):
    """Compiling a plan costs a second, running it on some hundred rows none; real deliveries are compiled.

    A module of whose tests none asks for Spark starts none.
    """
    mine = (item for item in request.session.items if item.path == request.path)
    plain = not any("spark" in item.fixturenames for item in mine)
    if plain or request.module.__name__ == "test_ingest_real_deliveries":
        yield
        return
    spark = request.getfixturevalue("spark")
    with interpreted(spark):
        yield

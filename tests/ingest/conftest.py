"""The helpers of this folder are imported by name; its many small plans are interpreted, not compiled."""

import sys
from pathlib import Path

import pytest

from pozytywka_spark.session_conf import interpreted

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module", autouse=True)
def _interpreted(request):
    """Compiling a plan costs a second, running it on some hundred rows none; real deliveries are compiled.

    Rules are plain Python, checks of silver are kernels: their tests start no Spark.
    """
    name = request.module.__name__
    if name == "test_ingest_real_deliveries" or name.startswith(("test_rules_", "test_quality_")):
        yield
        return
    spark = request.getfixturevalue("spark")
    with interpreted(spark):
        yield

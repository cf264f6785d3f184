"""What an ingest prints of texts whose writers aren't known yet."""

import pytest

from pozytywka_spark.ingest.console import show_ingest
from pozytywka_spark.ingest.outcomes import UNKNOWN_NAME
from pozytywka_spark.ingest.quality.findings import raw_findings
from pozytywka_spark.ingest.stage import IngestReport


def printed(capsys: pytest.CaptureFixture[str], ingest_id: int | None, note: str, rows: int) -> str:
    counts = [{"entity": "feedback", "outcome": "noted", "reason": note, "rows": rows}]
    show_ingest(IngestReport(ingest_id, "/d", (), (), (), (), tuple(raw_findings(counts)), None))
    return " ".join(capsys.readouterr().out.split())


def test_texts_of_users_who_are_not_known_yet_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    line = "1,200 texts of users whose names aren't known yet"
    assert printed(capsys, 3, UNKNOWN_NAME, 1200).count(line) == 1
    assert "names aren't known" not in printed(capsys, 3, "masked text", 1200)
    assert "names aren't known" not in printed(capsys, None, UNKNOWN_NAME, 1200), "of an earlier ingest"

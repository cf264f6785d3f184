"""What the monitor and simulate jobs say to wrong usage, before any session is started."""

from __future__ import annotations

import pytest

from pozytywka_spark.jobs import monitor, simulate


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("2022-13", "error: --reference 2022-13: expected YYYY-MM..YYYY-MM, such as 2023-03..2023-05"),
        (
            "2022-09..2022-03",
            "error: --reference 2022-09..2022-03: the first month is after the last; swap them",
        ),
    ],
)
def test_a_wrong_reference_is_told(reference: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert monitor.main(["--reference", reference]) == 2
    assert capsys.readouterr().err.strip() == told


@pytest.mark.parametrize("job", [monitor, simulate])
def test_a_wrong_month_is_told(job: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        job.main(["--month", "May"])  # type: ignore[attr-defined]
    assert ended.value.code == 2
    assert "expected a month such as 2023-05" in capsys.readouterr().err


def test_a_wrong_segment_and_a_wrong_setting_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        simulate.main(["--segment", "moon"])
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
    assert simulate.main(["--set", "simulation.segment=moon"]) == 2
    assert "setting simulation.segment" in capsys.readouterr().err

"""When an ingest takes place, and what then lies in the future."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pozytywka_spark.config import load_settings
from pozytywka_spark.errors import UsageError
from pozytywka_spark.ingest.validate.rule_settings import judging_of

NOW = datetime(2026, 11, 29, 7, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("overrides", "latest"),
    [
        ([], datetime(2026, 11, 30, 7, 0, 30, tzinfo=UTC)),
        (["ingest.future_days=0"], NOW),
        (["ingest.future_days=0.5"], NOW + timedelta(hours=12)),
        (["ingest.at=2023-03-01T10:00:00"], datetime(2023, 3, 2, 10, tzinfo=UTC)),
        (["ingest.at=2023-03-01T10:00:00+01:00"], datetime(2023, 3, 2, 9, tzinfo=UTC)),
        (["ingest.at=2023-03-01 10:00:00Z", "ingest.future_days=7"], datetime(2023, 3, 8, 10, tzinfo=UTC)),
    ],
)
def test_the_latest_moment_of_an_ingest(overrides, latest) -> None:
    settings = load_settings("local", ["home=/tmp/clock", *overrides]).ingest
    for now in (NOW, NOW.astimezone(timezone(timedelta(hours=5)))):
        judging = judging_of(settings, now)
        assert judging.latest == latest
        assert judging.latest_micros == latest.timestamp() * 1_000_000
    assert judging.future_rule.startswith(f"timestamp: not after {latest:%Y-%m-%dT%H:%M:%S}, ")


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("ingest.future_days=-1", r"ingest\.future_days=-1.*greater than or equal to 0"),
        ("ingest.at=soon", r"ingest\.at='soon'"),
        ("ingest.at=2300-01-01T00:00:00", r"ingest\.at=.*a time from 2000 to before 2100"),
    ],
)
def test_a_clock_that_is_none_is_refused(override, told) -> None:
    with pytest.raises(UsageError, match=told):
        load_settings("local", ["home=/tmp/clock", override])

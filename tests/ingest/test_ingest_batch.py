"""The books of a batch: what must add up, and which of silver's months an event is compared with."""

from datetime import date

import pytest

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.batch import months_around, reconcile


@pytest.mark.parametrize(("kept", "lost"), [(4, False), (3, True), (5, True)])
def test_rows_that_do_not_add_up_stop_the_batch(kept, lost) -> None:
    files = [{"rows": 6}, {"rows": 4}]
    counts = [
        {"outcome": name, "rows": rows}
        for name, rows in (("kept", kept), ("repaired", 1), ("duplicate", 2), ("quarantined", 3))
    ]
    counts.append({"outcome": "noted", "rows": 99})  # a remark is no fate
    if not lost:
        reconcile("sessions", files, counts)
        return
    with pytest.raises(
        DataError, match=rf"sessions: 10 rows were read but {kept + 6} accounted for .*nothing"
    ):
        reconcile("sessions", files, counts)


def test_the_months_around_a_batch(spark) -> None:
    files = [
        {"first_month": date(2023, 3, 1), "last_month": date(2023, 4, 1)},
        {"first_month": date(2023, 1, 1), "last_month": date(2023, 3, 1)},
        {"first_month": None, "last_month": None},  # of this one no row passed
    ]
    months = [(date(2022, n, 1),) for n in (11, 12)] + [(date(2023, n, 1),) for n in (1, 4, 5, 6)]
    held = spark.createDataFrame(months, "event_month date")
    found = {row[0] for row in held.where(months_around(files)).collect()}
    assert found == {date(2022, 12, 1), date(2023, 1, 1), date(2023, 4, 1), date(2023, 5, 1)}
    assert held.where(months_around(files[2:])).collect() == []

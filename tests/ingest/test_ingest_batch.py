"""The books of a batch: what must add up, and which of silver's months an event is compared with."""

from datetime import date

import pytest

from pozytywka_spark.errors import DataError
from pozytywka_spark.ingest.batch import count_notes, reconcile
from pozytywka_spark.ingest.resolve.existing_rows import months_around
from pozytywka_spark.ingest.validate.file_stats import FileStats
from pozytywka_spark.ingest.validate.pass_one import JudgedRows


@pytest.mark.parametrize(("kept", "lost"), [(4, False), (3, True), (5, True)])
def test_rows_that_do_not_add_up_stop_the_batch(kept, lost) -> None:
    counts = [
        {"outcome": name, "rows": rows}
        for name, rows in (("kept", kept), ("repaired", 1), ("duplicate", 2), ("quarantined", 3))
    ]
    counts.append({"outcome": "noted", "rows": 99})  # a remark is no fate
    if not lost:
        reconcile("sessions", 10, counts)
        return
    with pytest.raises(
        DataError, match=rf"sessions: 10 rows were read but {kept + 6} accounted for .*nothing"
    ):
        reconcile("sessions", 10, counts)


def test_remarks_of_all_files_are_counted() -> None:
    files = [FileStats(rows=3, notes={"null user_id": 2, "stray x": 1}), FileStats(notes={"stray x": 4})]
    assert [(row["outcome"], row["reason"], row["rows"]) for row in count_notes(files)] == [
        ("noted", "null user_id", 2),
        ("noted", "stray x", 5),
    ]


@pytest.mark.parametrize(
    ("months", "around"),
    [
        # over all files, one month more on each side, across the turn of a year
        (
            [("2023-03-01", "2023-04-01"), ("2023-01-01", "2023-03-01"), (None, None)],
            [date(2022, 12, 1), *(date(2023, month, 1) for month in range(1, 6))],
        ),
        ([(None, None)], []),  # no row passed
    ],
)
def test_the_months_around_a_batch(months, around) -> None:
    files = {
        f"/d/{number}": FileStats(rows=1, first_month=first, last_month=last)
        for number, (first, last) in enumerate(months)
    }
    assert months_around(JudgedRows((), files, {})) == around

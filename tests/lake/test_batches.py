"""Files are read some at a time: in their order, together of no more rows than were asked for."""

from __future__ import annotations

from pozytywka_spark.lake.shards import Parcel, batches


def parcels(*rows: int) -> list[Parcel]:
    return [Parcel("some", (), f"place-{number}", many, 1) for number, many in enumerate(rows)]


def test_some_files_at_a_time() -> None:
    found = [[one.rows for one in some] for some in batches(parcels(3, 4, 3, 20, 1, 9, 1), 10)]
    assert found == [[3, 4, 3], [20], [1, 9], [1]]


def test_none_of_none() -> None:
    assert list(batches([], 10)) == []

"""A file of rows as it is written: how its columns are packed, and that all of it comes back."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pozytywka_spark.config import Settings
from pozytywka_spark.lake.file_writer import FileWriter
from pozytywka_spark.lake.storage.filesystem import storage_of


@pytest.mark.parametrize(("columns", "packed"), [(3, "ZSTD"), (60, "SNAPPY")])
def test_whole_numbers_of_wide_tables_are_packed_quickly(
    settings: Settings, tmp_path: Path, columns: int, packed: str
) -> None:
    numbers = {f"n{place}": pa.array(range(place, place + 500), pa.int64()) for place in range(columns)}
    rows = pa.table({"id": pa.array([bytes([place % 256]) * 16 for place in range(500)]), **numbers})
    rows = rows.append_column("share", pa.array([place / 7 for place in range(500)], pa.float64()))
    writer = FileWriter(storage_of(settings), str(tmp_path / "of" / "rows.parquet"), rows.schema)
    writer.add(rows.slice(0, 200))
    writer.add(rows.slice(200))
    size, found = writer.close({})
    written = tmp_path / "of" / "rows.parquet"
    assert (size, found.records) == (written.stat().st_size, 500)
    assert pq.read_table(written).equals(rows)
    group = pq.read_metadata(written).row_group(0)
    kinds = [group.column(place).compression for place in range(columns + 2)]
    assert kinds == ["UNCOMPRESSED", *[packed] * columns, "SNAPPY"]

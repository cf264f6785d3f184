"""Arrow's arrays of bytes, made without Pandas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pytest

from pozytywka_spark.lake.arrow_bytes import binary_array


@pytest.mark.parametrize("values", [[], [b""], [b"a"], [b"", b"abc", b"", b"\x00\xff" * 100, b"z"]])
def test_as_arrow_itself_makes_it(values: list[bytes]) -> None:
    made = binary_array(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.binary()))


def test_more_than_an_array_holds_is_an_error() -> None:
    class Long(Sequence[bytes]):
        """Three values of a gigabyte each, that take no memory."""

        def __len__(self) -> int:
            return 3

        def __getitem__(self, place: object) -> bytes:
            raise AssertionError("not read")

        def __iter__(self) -> Iterator[bytes]:
            return iter([_Giga()] * 3)

    class _Giga(bytes):
        def __len__(self) -> int:
            return 1 << 30

    with pytest.raises(OverflowError, match="3,221,225,472 bytes"):
        binary_array(Long())

"""Python's bytes as an Arrow array. `pa.array` of a list imports Pandas, a second of CPU in every worker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


def binary_array(values: Sequence[bytes]) -> pa.Array:
    """One value after the other, none of them null; together less than 2 GB."""
    borders = np.zeros(len(values) + 1, np.int32)
    # added up in 64 bits: what is too much is an error, not a negative number
    ends = np.cumsum(np.fromiter(map(len, values), np.int64, len(values)))
    if len(values) and ends[-1] > np.iinfo(np.int32).max:
        raise OverflowError(f"{ends[-1]:,} bytes are more than an Arrow array of bytes holds")
    borders[1:] = ends
    buffers = [None, pa.py_buffer(borders), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(pa.binary(), len(values), buffers)

"""Values as bytes: bit for bit, nulls apart, by their schema only."""

from __future__ import annotations

import struct

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.errors import StoreError
from pozytywka_spark.featurestore.codec import Schema, headers, schema_of, unpack
from pozytywka_spark.featurestore.packing import pack_frame, packed_slices

THREE = Schema("user_month", ("a", "b", "c"))
LONG = st.integers(-(2**63), 2**63 - 1)
# every double there is: NaNs of any payload, both zeros, infinities, subnormal numbers
ANY_DOUBLE = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
# each an own kind of stretched value
FEW_COLUMNS = st.integers(1, 20)


def frame(rows: list[tuple[str, int, int, list[float | None]]], columns: tuple[str, ...]) -> pl.DataFrame:
    fixed = {
        "key": pl.Series([row[0] for row in rows], dtype=pl.String),
        "known_at": pl.Series([row[1] for row in rows], dtype=pl.Int64),
        "version": pl.Series([row[2] for row in rows], dtype=pl.Int64),
    }
    numbers = {
        name: pl.Series([row[3][place] for row in rows], dtype=pl.Float64)
        for place, name in enumerate(columns)
    }
    return pl.DataFrame(fixed | numbers)


def bits(values: np.ndarray) -> list[list[int]]:
    return values.view(np.uint64).tolist()


def test_a_value_is_laid_out_as_stated() -> None:
    packed = pack_frame(THREE, frame([("101", 7, 3, [1.5, None, -0.0])], THREE.columns))
    assert packed.keys == ["101"]
    expected = struct.pack("<QqqB3d", THREE.id, 7, 3, 0b010, 1.5, 0.0, -0.0)
    assert packed.values == [expected]
    assert THREE.width == len(expected)


def test_ids_are_those_of_every_release() -> None:
    """They stand in stores: another way to make them would leave all values unreadable."""
    assert THREE.id == 0x0F823514F085FF30
    same = schema_of(THREE.plain())
    assert same == THREE
    assert same.id == THREE.id
    others = [
        Schema("user_score", THREE.columns),
        Schema("user_month", ("a", "c", "b")),
        Schema("user_month", ("a", "b")),
        Schema("user_month", THREE.columns, "float32"),
    ]
    assert len({THREE.id, *(other.id for other in others)}) == 5


@pytest.mark.thorough
@given(
    st.data(),
    FEW_COLUMNS,
    st.lists(st.tuples(st.text(min_size=1, max_size=9), LONG, LONG), max_size=9),
)
def test_what_is_unpacked_is_what_was_packed_bit_for_bit(
    data: st.DataObject, width: int, rows: list[tuple[str, int, int]]
) -> None:
    schema = Schema("view", tuple(f"c{number}" for number in range(width)))
    cells = st.lists(st.none() | ANY_DOUBLE, min_size=width, max_size=width)
    drawn = [(*row, data.draw(cells)) for row in rows]
    packed = pack_frame(schema, frame(drawn, schema.columns))
    assert packed.keys == [row[0] for row in rows]
    got = unpack(packed.values, {schema.id: schema}, schema.columns)
    assert got.stored.all()
    assert got.known_at.tolist() == [row[1] for row in rows]
    assert got.version.tolist() == [row[2] for row in rows]
    nulls = np.array([[cell is None for cell in row[3]] for row in drawn], bool).reshape(len(drawn), width)
    assert got.nulls.tolist() == nulls.tolist()
    asked = np.array([[0.0 if cell is None else cell for cell in row[3]] for row in drawn], np.float64)
    stored = np.where(got.nulls, 0.0, got.values)
    assert bits(stored) == bits(asked.reshape(stored.shape))


def test_slices_are_the_whole() -> None:
    rows = [(str(number), number, 1, [number, None if number % 3 else 1.0, -number]) for number in range(10)]
    whole = pack_frame(THREE, frame(rows, THREE.columns))
    slices = list(packed_slices(THREE, frame(rows, THREE.columns), 3))
    assert [len(part.keys) for part in slices] == [3, 3, 3, 1]
    assert [value for part in slices for value in part.values] == whole.values


def test_floats_of_32_bits_are_the_nearest_ones() -> None:
    schema = Schema("v", ("a", "b"), "float32")
    value = pack_frame(schema, frame([("1", 0, 0, [0.1, None])], schema.columns)).values
    got = unpack(value, {schema.id: schema}, schema.columns)
    assert got.values[0, 0] == np.float32(0.1)
    assert got.nulls.tolist() == [[False, True]]
    assert schema.width == 24 + 1 + 8


def test_flags_and_whole_numbers_become_doubles() -> None:
    rows = pl.DataFrame({"key": ["1"], "known_at": [1], "version": [2], "a": [True], "b": [7], "c": [None]})
    got = unpack(pack_frame(THREE, rows).values, {THREE.id: THREE}, THREE.columns)
    assert got.values[0, :2].tolist() == [1.0, 7.0]
    assert got.nulls.tolist() == [[False, False, True]]


def test_keys_that_are_not_stored_and_columns_in_another_order() -> None:
    value = pack_frame(THREE, frame([("1", 5, 6, [1.0, None, 3.0])], THREE.columns)).values[0]
    got = unpack([None, value, None], {THREE.id: THREE}, ("c", "new", "b"))
    assert got.stored.tolist() == [False, True, False]
    assert got.known_at.tolist() == [0, 5, 0]
    assert got.values[1, 0] == 3.0
    assert got.nulls.tolist() == [[True] * 3, [False, True, True], [True] * 3]
    assert np.isnan(got.values[got.nulls]).all()


def test_values_of_two_schemas_are_read_side_by_side() -> None:
    older = Schema("user_month", ("b", "a"))
    one = pack_frame(older, frame([("1", 1, 1, [2.0, 1.0])], older.columns)).values
    other = pack_frame(THREE, frame([("2", 2, 2, [10.0, 20.0, 30.0])], THREE.columns)).values
    got = unpack([*one, *other, *one], {older.id: older, THREE.id: THREE}, THREE.columns)
    assert got.values[:, :2].tolist() == [[1.0, 2.0], [10.0, 20.0], [1.0, 2.0]]
    assert got.nulls[:, 2].tolist() == [True, False, True]
    assert got.version.tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda value: value[:-1], "isn't 49 bytes long"),
        (lambda value: value + b"\0", "isn't 49 bytes long"),
        (lambda value: value[:10], "less than 24 bytes"),
        (lambda value: b"", "less than 24 bytes"),
        (lambda value: bytes([value[0] ^ 1]) + value[1:], "schema that it doesn't name"),
    ],
)
def test_damaged_values_are_refused(spoil, said: str) -> None:  # type: ignore[no-untyped-def]
    value = pack_frame(THREE, frame([("1", 5, 6, [1.0, None, 3.0])], THREE.columns)).values[0]
    with pytest.raises(StoreError, match=said):
        unpack([value, spoil(value)], {THREE.id: THREE}, THREE.columns)


def test_lengths_that_add_up_are_refused_too() -> None:
    value = pack_frame(THREE, frame([("1", 5, 6, [1.0, 2.0, 3.0])], THREE.columns)).values[0]
    with pytest.raises(StoreError, match="isn't 49 bytes long"):
        unpack([value[:-1], value + b"\0"], {THREE.id: THREE}, THREE.columns)


def test_headers_tell_what_came_when() -> None:
    values = pack_frame(THREE, frame([("1", 5, 6, [1.0] * 3), ("2", 7, 8, [2.0] * 3)], THREE.columns)).values
    told = headers(values)
    assert told["known_at"].tolist() == [5, 7]
    assert told["version"].tolist() == [6, 8]
    assert told["schema"].tolist() == [THREE.id] * 2


def test_a_schema_of_another_format_is_refused() -> None:
    with pytest.raises(StoreError, match="format 2, this release reads 1"):
        schema_of({**THREE.plain(), "format": 2})


@pytest.mark.parametrize("columns", [(), ("a", "a")])
def test_a_schema_has_columns_each_once(columns: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="each once"):
        Schema("v", columns)

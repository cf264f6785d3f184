"""A small lake to take features from, and what an online store must hold of it: worked out without Spark."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
import pyarrow as pa

from pozytywka_spark import schemas
from pozytywka_spark.config import Settings
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.online import target_of
from pozytywka_spark.lake import Lake
from pozytywka_spark.months import cut_off_micros, month_after
from pozytywka_spark.names import AUDIO_FEATURES

Number = float | None
JANUARY = date(2023, 1, 1)
MODEL = ("premium", 3)
ODD = (float("nan"), -0.0, float("inf"), 5e-324, 0.1 + 0.2)


def month(number: int) -> date:
    """The month so many after January 2023."""
    return month_after(JANUARY, number)


@dataclass
class SmallLake:
    """Tables with numbers drawn by a seed; odd ones too: null, NaN, infinities, a negative zero."""

    settings: Settings
    lake: Lake
    dice: random.Random

    def features(self, users: Sequence[int], months: Sequence[date]) -> pa.Table:
        names = declared_of(self.settings).view("user_month").names
        height = len(users) * len(months)
        drawn = np.random.default_rng(self.dice.randrange(2**32))
        keys = {
            "user_id": pl.Series(np.tile(np.array(users, np.int64), len(months))),
            "month": pl.Series([each for each in months for _ in users], dtype=pl.Date),
        }
        columns = {}
        for name in names:
            odd = drawn.random(height) < 0.1
            values = np.where(odd, drawn.choice(ODD, height), drawn.random(height) * 1e6)
            columns[name] = pl.Series(values).set(pl.Series(drawn.random(height) < 0.1), None)
        return pl.DataFrame({**keys, **columns}).to_arrow()

    def put_features(self, users_of: Mapping[date, Sequence[int]]) -> None:
        """Replace those months' rows."""
        table = schemas.features_table(declared_of(self.settings).view("user_month").names)
        rows = pa.concat_tables([self.features(users, [each]) for each, users in users_of.items()])
        self.lake.replace_partitions(rows, table, [{"month": each} for each in users_of])

    def put_plays(self, plays: Mapping[date, Mapping[str, int]]) -> None:
        rows = [
            {"track_id": track, "plays": count, "month": each}
            for each, of_month in plays.items()
            for track, count in of_month.items()
        ]
        frame = pl.DataFrame(rows, schema={"track_id": pl.String, "plays": pl.Int64, "month": pl.Date})
        self.lake.replace_partitions(
            frame.to_arrow(), schemas.TRACK_PLAYS, [{"month": each} for each in plays]
        )

    def put_predictions(self, users: Sequence[int], each: date, version: int = MODEL[1]) -> None:
        rows = [
            {
                "user_id": user,
                "month": each,
                "model_name": MODEL[0],
                "model_version": version,
                "probability": self.dice.random(),
                "probability_raw": self.dice.random(),
                "margin": self.number(),
                "rank": place,
                "decile": 1 + place % 10,
                "selected": self.dice.random() < 0.5,
            }
            for place, user in enumerate(users)
        ]
        from pozytywka_spark.lake.casting import as_table

        partitions = [{"month": each, "model_version": version}]
        self.lake.replace_partitions(as_table(rows, schemas.PREDICTIONS), schemas.PREDICTIONS, partitions)

    def put_tracks(self, artists: Mapping[str, str | None]) -> None:
        """The tracks there are, each with its artist."""
        from pozytywka_spark.lake.casting import as_table

        rows = [
            {
                "id": track,
                "name": track,
                "id_artist": artist,
                "popularity": self.dice.choice([None, *range(100)]),
                "duration_ms": self.dice.randrange(1, 500_000),
                "explicit": self.dice.choice([None, True, False]),
                "release_date": self.dice.choice([None, date(1969, 5, 6), date(2020, 1, 1)]),
                "key": self.dice.randrange(12),
                **{name: self.dice.random() for name in AUDIO_FEATURES},
            }
            for track, artist in artists.items()
        ]
        self.lake.overwrite(as_table(rows, schemas.TRACKS), schemas.TRACKS)

    def number(self) -> Number:
        return self.dice.choice([None, *ODD]) if self.dice.random() < 0.2 else self.dice.random() * 1e6


Online = dict[str, tuple[int, tuple[bytes | None, ...]]]


def online(settings: Settings, view: str) -> Online:
    """What the store holds of a view, read by hand: by key known_at and numbers' bits, None of a null."""
    shown = declared_of(settings).view(view)
    count, code = len(shown.names), "<d" if shown.dtype == "float64" else "<f"
    wide, found = struct.calcsize(code), {}
    with target_of(settings).open() as store:
        schemas_of = store.schemas(view)
        for key, value in (pair for pairs in store.scan(view) for pair in pairs):
            schema, known_at, _ = struct.unpack_from("<Qqq", value)
            assert schemas_of[schema].columns == shown.names
            nulls, numbers = value[24 : 24 + -(-count // 8)], value[24 + -(-count // 8) :]
            assert len(numbers) == count * wide
            bits = [
                None if nulls[i // 8] >> (i % 8) & 1 else numbers[i * wide : (i + 1) * wide]
                for i in range(count)
            ]
            found[key] = (known_at, tuple(bits))
    return found


def offline(small: SmallLake, view: str) -> Online:
    """What it must hold: each key's newest row, by plain Python over all rows of the table."""
    shown = declared_of(small.settings).view(view)
    code = "<d" if shown.dtype == "float64" else "<f"

    def bits(number: object) -> bytes | None:
        return None if number is None else struct.pack(code, float(number))  # type: ignore[arg-type]

    newest: dict[str, tuple[int, tuple[bytes | None, ...]]] = {}
    for key, each, numbers in _rows_of(small, view):
        known = cut_off_micros(each) + round(small.settings.featurestore.delay_hours * 3_600_000_000)
        if key not in newest or known > newest[key][0]:
            newest[key] = (known, tuple(map(bits, numbers)))
    return newest


def _rows_of(small: SmallLake, view: str) -> list[tuple[str, date, list[object]]]:
    shown = declared_of(small.settings).view(view)
    table = small.lake.rows(shown.table).to_pylist()
    if view == "track_popularity":
        return _popularity(table)
    chosen = [
        row for row in table if view != "user_score" or (row["model_name"], row["model_version"]) == MODEL
    ]
    return [(str(row[shown.key]), row["month"], [row[name] for name in shown.names]) for row in chosen]


def _popularity(table: Sequence[Mapping[str, object]]) -> list[tuple[str, date, list[object]]]:
    plays = {(str(row["track_id"]), row["month"]): int(row["plays"]) for row in table}  # type: ignore[call-overload]
    last: date = max(each for _, each in plays)  # type: ignore[type-var, assignment]
    rows: list[tuple[str, date, list[object]]] = []
    for track in {track for track, _ in plays}:
        for number in range(60):
            each = month(number)
            sums = [
                sum(plays.get((track, month(number - age)), 0) for age in range(months))
                for months in (1, 3, 12)
            ]
            if each <= last and any((track, month(number - age)) in plays for age in range(12)):
                rows.append((track, each, list(sums)))
    return rows

"""Users of a month in groups, without Spark: sizes, expected purchases, and who is in the sample."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.whole_month import ChosenMonth
from pozytywka_spark.models.predictors import Linear
from pozytywka_spark.models.serving_model import ServingModel
from pozytywka_spark.scoring.month_work import Part
from pozytywka_spark.simulation.segments import GROUPED, GroupUsers, cities_of, lowest_of_each, sizes_told
from tests.in_memory import MemoryTasks

MONTH = ChosenMonth(date(2022, 5, 1), complete=True)
MODEL = ServingModel(Linear((), (), (), 0.0), (), "", "buys", 30, 0.1, name="m", version=3)
EDGES, NAMES = (
    [1, 10, 50, 200],
    ["no plays", "1 to 9 plays", "10 to 49 plays", "50 to 199 plays", "200 plays or more"],
)


def users(seed: int = 1) -> pd.DataFrame:
    drawn = np.random.default_rng(seed)
    plays = drawn.choice([0.0, 1, 9, 10, 49, 50, 199, 200, 900, np.nan], 300)
    probability = drawn.beta(1, 8, 300)
    return pd.DataFrame(
        {"user_id": drawn.permutation(300), "number_of_tracks": plays, "probability": probability}
    )


def grouped(
    by: str, most: int, parts: int, scores: pd.DataFrame | None = None
) -> tuple[dict[str, tuple[int, float]], pl.DataFrame]:
    tasks, rows = MemoryTasks(), users()
    features = pl.from_pandas(rows[["user_id", "number_of_tracks"]], nan_to_null=True)
    size = -(-300 // parts)
    files = [tasks.files.put_file(part, {}) for part in features.iter_slices(size)]
    scored = rows if scores is None else scores
    predictions = tasks.files.put_file(pl.from_pandas(scored[["user_id", "probability"]]), {})
    work = GroupUsers(by, ("number_of_tracks",), (predictions,), (), most, 7)
    items = [Part(number, (file,)) for number, file in enumerate(files)]
    done = tasks.run(items, work, weight=lambda part: part.size, named=str)
    drawn = pl.concat(tasks.fetch([parcel]) for parcel in done.of(GROUPED))
    sample = lowest_of_each(drawn, most).sort("segment", "user_id")
    return sizes_told(done.results, len(scored), MONTH, MODEL), sample


def test_users_are_grouped_by_the_group_of_genres_that_they_play_most() -> None:
    """Whose code has no name, and who has none, is unknown."""
    tasks = MemoryTasks()
    codes = pl.DataFrame({"user_id": [1, 2, 3, 4], "top_group": [7.0, 8.0, 9.0, None]})
    scores = pl.DataFrame({"user_id": [1, 2, 3, 4], "probability": [0.5, 0.25, 0.125, 0.5]})
    files = [tasks.files.put_file(frame, {}) for frame in (codes, scores)]
    work = GroupUsers("top_group", (), (files[1],), (), 10, 7, {7: "rock, metal", 8: "jazz"})
    items = [Part(0, (files[0],))]
    done = tasks.run(items, work, weight=lambda part: part.size, named=str)
    assert sizes_told(done.results, 4, MONTH, MODEL) == {
        "top group: jazz": (1, 0.25),
        "top group: rock, metal": (1, 0.5),
        "top group: unknown": (2, 0.625),
    }


@pytest.mark.parametrize("parts", [1, 4])
def test_groups_equal_those_of_pandas(parts: int) -> None:
    sizes, sample = grouped("activity", 10, parts)
    rows = users()
    place = np.searchsorted(EDGES, rows["number_of_tracks"].fillna(-1), side="right")
    name = "activity: " + pd.Series(np.array(NAMES)[place]).where(rows["number_of_tracks"].notna(), "unknown")
    expected = rows.groupby(name)["probability"].agg(["size", "sum"])
    assert {segment: many for segment, (many, _) in sizes.items()} == expected["size"].to_dict()
    for segment, (_, purchases) in sizes.items():
        assert purchases == pytest.approx(expected["sum"][segment], abs=1e-9)
    assert sample.group_by("segment").len()["len"].to_list() == [10] * len(sizes)
    assert sizes == grouped("activity", 10, 1)[0]  # to the bit, however rows are cut
    assert sample.equals(grouped("activity", 10, 1)[1])


def test_everyone_is_one_group() -> None:
    sizes, sample = grouped("all", 1000, 2)
    assert list(sizes) == ["all users"]
    assert (sizes["all users"][0], sample.height) == (300, 300)


def test_scores_of_other_users_are_refused() -> None:
    moved = users().replace({"user_id": {0: 1000}})
    with pytest.raises(DataError, match=r"2022-05 by m version 3 are not of the users .* \(2 differ\)"):
        grouped("all", 10, 2, moved)


def test_small_cities_are_other_and_nobody_is_lost() -> None:
    named = [(user, f"city{user % 21:02d}") for user in range(63)] + [
        (100, "city00"),
        (101, None),
        (102, "tiny"),
    ]
    rows = pl.DataFrame({"user_id": [0, 1, 19, 20, 101, 102, 999]})
    found = cities_of(
        rows, pl.DataFrame(named, schema={"user_id": pl.Int64, "city": pl.String}, orient="row")
    )
    assert found.to_list() == ["city00", "city01", "city19", "other", "unknown", "other", "unknown"]

"""Guard 1 over the catalogue: no false alarm, whatever the seed; which worlds there are; samples."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from functools import cache

import polars as pl
import pytest

from pozytywka_spark.config.features import Guards
from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.build.plan import plan_of
from pozytywka_spark.features.declared.catalogue import CATALOGUE
from pozytywka_spark.features.guards import compare_slices
from pozytywka_spark.features.guards.build_under_guard import GuardedBuild
from pozytywka_spark.features.guards.canary import CANARY
from pozytywka_spark.features.guards.compare_slices import Maker
from pozytywka_spark.features.guards.rebuild import measure_months
from pozytywka_spark.lake.shards import Parcel
from tests.features.guards.made_builds import build_with, dimensions_of, perturbation, silver_events
from tests.features.guards.test_leaky_passes import NAMES, PopularAtAnyTime, WindowsAhead
from tests.in_memory import MemoryTasks

PLAN = plan_of(CATALOGUE)
SOME_FEATURES = [feature for feature in CATALOGUE if feature.name in NAMES]
SOME = plan_of(SOME_FEATURES)
SEEDS = 20


def many_dimensions(tasks: MemoryTasks) -> tuple[Parcel, Parcel]:
    """Of all the copies."""
    return dimensions_of(tasks, SEEDS)


@pytest.mark.thorough
def test_the_catalogue_raises_no_false_alarm_over_twenty_seeds() -> None:
    """Twenty copies of each user, whose futures are invented each in its own way, in one run."""
    build = build_with(silver_events(SEEDS), measure_months, Maker, PLAN, tables=many_dimensions)
    result = perturbation(build)
    assert (result.guard, result.checked) == (
        "perturbation", "all 320 users, future after 2021-09 deleted and scrambled, after 2022-03 scrambled",
    )  # fmt: skip
    assert result.seconds > 0


@cache
def few(copies: int = 1) -> pl.DataFrame:
    """The last months' events."""
    return silver_events(copies).filter(pl.col("event_month") >= date(2021, 11, 1))


@pytest.mark.thorough
def test_a_sample_stands_for_all_where_there_are_many_events() -> None:
    """Everyone's plays count for it, though only its users' events are read."""
    build = build_with(few(SEEDS), measure_months, Maker, SOME, tables=many_dimensions)
    told = perturbation(build, Guards(perturbation_events=build.rows - 1, perturbation_users=30)).checked
    sampled = re.fullmatch(r"(\d+) of 300 users, future after 2022-02 deleted .*", told)
    assert sampled, told
    assert 30 <= int(sampled[1]) < 60
    assert perturbation(build, Guards(perturbation_events=build.rows)).checked.startswith("all 300 users, ")


@pytest.mark.thorough
@pytest.mark.parametrize("maker", [WindowsAhead, PopularAtAnyTime])
def test_a_leak_is_seen_in_a_sample(maker: type[Maker]) -> None:
    build = build_with(few(SEEDS), measure_months, maker, SOME, tables=many_dimensions)
    with pytest.raises(GuardError, match="guard perturbation: feature "):
        perturbation(build, Guards(perturbation_events=0, perturbation_users=30), maker=maker)


@pytest.mark.thorough
def test_one_more_month_is_tried_at_its_end() -> None:
    build = build_with(few(), measure_months, Maker, SOME, months=[date(2022, 3, 1)], tables=dimensions_of)
    assert perturbation(build).checked == f"all {users_in(build)} users, future after 2022-03 scrambled"
    earlier = build_with(few(), measure_months, Maker, SOME, months=[date(2022, 1, 1)], tables=dimensions_of)
    told = perturbation(earlier).checked
    assert told == f"all {users_in(earlier)} users, future after 2022-01 deleted and scrambled"


def users_in(build: GuardedBuild) -> int:
    assert isinstance(build.tasks, MemoryTasks)
    return build.tasks.files.read(build.features, ("user_id",)).get_column("user_id").n_unique()


@pytest.mark.thorough
def test_a_written_row_that_no_world_makes_is_found() -> None:
    build = build_with(few(), measure_months, Maker, SOME, tables=dimensions_of)
    tasks = build.tasks
    assert isinstance(tasks, MemoryTasks)
    rows = tasks.files.read(build.features[:1]).drop("month")
    more = tasks.files.put_file(
        rows.head(1).with_columns(user_id=pl.lit(777, pl.Int64)), build.features[0].partition
    )
    wrong = replace(build, features=(*build.features, more))
    with pytest.raises(GuardError, match=r"of user 777, month 2021-11 changes when the events .* so do "):
        perturbation(wrong)


@pytest.mark.thorough
def test_a_slice_goes_in_parts_where_it_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_slices, "parts_of", lambda users, columns: 3)
    build = build_with(few(), measure_months, Maker, SOME, tables=dimensions_of)
    assert perturbation(build).checked.startswith(f"all {users_in(build)} users, ")
    with pytest.raises(GuardError, match="guard perturbation: feature number_of_skips of user "):
        perturbation(build, maker=WindowsAhead)


@pytest.mark.thorough
def test_features_that_models_are_not_given_do_not_count() -> None:
    whole = plan_of([*SOME_FEATURES, CANARY])
    build = build_with(few(), measure_months, Maker, whole, tables=dimensions_of)
    with pytest.raises(GuardError, match="guard perturbation: feature canary of user "):
        perturbation(build)
    perturbation(replace(build, plan=SOME))

"""The job as people run it: groups, the same again, what is new, a refit, overrides, kills, errors."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.jobs import topics
from pozytywka_spark.lake import open_lake
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.schemas import ARTISTS, TRACK_PLAYS, TRACKS, USERS
from pozytywka_spark.spark.session_on_demand import session_on_demand
from pozytywka_spark.topics.overrides import Overrides
from pozytywka_spark.topics.stage import make_topics
from tests.breaking_lake import BreakingLake, BrokenError
from tests.moderation.world import contents
from tests.topics import made

pytestmark = pytest.mark.system  # seconds: jobs as they are run
SET = ("topics.rounds=5", "topics.smallest=0.02", "topics.smallest_subgroup=0.005")
TABLES = ("genre_groups", "artist_groups", "track_languages", "topic_fits")


def settings_of(home: Path, *more: str) -> Settings:
    return load_settings("local", [f"home={home}", *SET, *more])


def lake_at(home: Path) -> Lake:
    settings = settings_of(home)
    return open_lake(settings, session_on_demand(settings, "tests"))


def run(home: Path, *words: str, more: Sequence[str] = ()) -> int:
    sets = (f"home={home}", *SET, *more)
    return topics.main([*words, *(part for one in sets for part in ("--set", one))])


def put(lake: Lake, artists: pl.DataFrame) -> None:
    lake.upsert(as_table(artists.to_dicts(), ARTISTS), ARTISTS)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    lake = lake_at(tmp_path)
    put(lake, made.artists(each=60))
    tracks = [
        {"id": "t1", "name": "Nie płacz, kiedy odjadę", "id_artist": "metal-0001"},
        {"id": "t2", "name": "1999", "id_artist": "metal-0001"},
        {"id": "t3", "name": "사랑해", "id_artist": "samba-0001"},
    ]
    lake.append(as_table(tracks, TRACKS), TRACKS)
    users = [
        {"user_id": 1, "favourite_genres": ["metal", "black metal"], "premium_user": True},
        {"user_id": 2, "favourite_genres": ["metal", None], "premium_user": None},
        {"user_id": 3, "favourite_genres": None, "premium_user": True},
    ]
    lake.append(as_table(users, USERS), USERS)
    return tmp_path


def versions(lake: Lake) -> dict[str, int]:
    return {name: lake.version(name) for name in TABLES}


def groups(lake: Lake) -> dict[str, dict[str, Any]]:
    return {row["genre"]: row for row in lake.rows("genre_groups").to_pylist()}


def test_from_the_first_run_to_a_refit(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = lake_at(home)
    assert run(home) == 0
    assert "22 genres in 4 groups" in capsys.readouterr().out
    first, before = groups(lake), contents(lake, *TABLES)
    artists = {row["id"]: row for row in lake.rows("artist_groups").to_pylist()}
    assert len(artists) == lake.rows("artists").num_rows
    assert (artists["metal-0001"]["language"], artists["metal-0001"]["titles"]) == ("pl", 1)
    assert artists["samba-0001"]["language"] == "ko"
    assert {row["fit_id"] for row in artists.values()} == {first["metal"]["fit_id"]}
    assert [row["id"] for row in lake.rows("track_languages").to_pylist()] == ["t1", "t3"]

    # the same again: nothing, and a refit of the same neither
    written = versions(lake)
    for words in ((), ("--refit",)):
        assert run(home, *words) == 0
        assert "nothing to do" in capsys.readouterr().out
        assert versions(lake) == written

    # new artists and a new genre: what is known stays, though a fit would move it
    more = [
        ("x1", ["folk metal", "metal"]),
        ("x2", None),
        *((f"y{n}", ["samba", "techno"]) for n in range(200)),
    ]
    put(lake, pl.DataFrame(more, made.SCHEMA, orient="row"))
    assert run(home) == 0
    assert "1 new genres assigned; those that were known stayed" in capsys.readouterr().out
    now = groups(lake)
    assert {genre: now[genre]["group_id"] for genre in first} == {
        g: row["group_id"] for g, row in first.items()
    }
    assert now["folk metal"]["group_id"] == first["metal"]["group_id"]
    assert now["samba"]["artists"] == first["samba"]["artists"] + 200
    held = {row["id"]: row for row in lake.rows("artist_groups").to_pylist()}
    assert (held["x1"]["group_id"], held["x2"]["group_id"]) == (first["metal"]["group_id"], None)
    assert len(contents(lake, "topic_fits")["topic_fits"]) == 1

    # only a refit moves them; it tells who moved, and ids of groups that stay are theirs
    assert run(home, "--refit") == 0
    told = capsys.readouterr().out
    assert "of uses are in another group than before" in told
    refitted = groups(lake)
    assert refitted["metal"]["group_id"] == first["metal"]["group_id"]
    assert refitted["samba"]["previous_group_id"] == first["samba"]["group_id"]
    assert refitted["samba"]["fit_id"] != first["samba"]["fit_id"]
    fits = sorted(contents(lake, "topic_fits")["topic_fits"], key=lambda row: row["moved"] is not None)
    assert [row["moved"] is None for row in fits] == [True, False]
    assert before["topic_fits"][0]["fit_id"] in fits[1]["inputs"]


def test_the_page_the_export_and_what_a_person_says(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = lake_at(home)
    exported = home / "out" / "groups.csv"
    assert run(home, "--export", str(exported)) == 0
    assert "22 genres exported" in capsys.readouterr().out
    lines = list(csv.DictReader(exported.open(encoding="utf-8")))
    assert {line["genre"] for line in lines} == set(groups(lake))
    metal = groups(lake)["metal"]
    said = home / "said.csv"
    said.write_text(
        f'genre,group\nswing,"{metal["group"]}"\nquiet hum,{metal["group_id"]}\n', encoding="utf-8"
    )
    assert run(home, "--overrides", str(said)) == 0
    assert "2 genres as the overrides say" in capsys.readouterr().out
    now = groups(lake)
    assert {now[genre]["group_id"] for genre in ("swing", "quiet hum")} == {metal["group_id"]}
    hums = {
        row["group_id"] for row in lake.rows("artist_groups").to_pylist() if row["id"].startswith("quiet hum")
    }
    assert hums == {metal["group_id"]}
    written = versions(lake)
    assert run(home, "--overrides", str(said)) == 0
    assert versions(lake) == written
    # through a refit
    put(lake, pl.DataFrame([("x1", ["metal", "doom metal"])], made.SCHEMA, orient="row"))
    assert run(home, "--refit") == 0
    assert groups(lake)["swing"]["assigned_by"] == "override"
    lake.append(as_table([{"track_id": "t1", "plays": 7, "month": None}], TRACK_PLAYS), TRACK_PLAYS)
    assert run(home, "--report") == 0
    page = (home / "reports" / "topics.html").read_text(encoding="utf-8")
    for words in ("The tree", "By override: 2 genres", "Who moved", "Languages", "quiet hum", "100.0%"):
        assert words in page
    # taken back, it is assigned as if it were new
    said.write_text("genre,group\nswing,\n", encoding="utf-8")
    assert run(home, "--overrides", str(said)) == 0
    assert groups(lake)["swing"]["group_id"] == groups(lake)["jazz"]["group_id"]
    assert groups(lake)["swing"]["assigned_by"] == "neighbours"
    assert groups(lake)["quiet hum"]["assigned_by"] == "override"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("refit", [False, True], ids=["first", "refit"])
def test_killed_at_each_write(
    home: Path, tmp_path_factory: pytest.TempPathFactory, *, refit: bool, after: bool
) -> None:
    def world(folder: Path) -> tuple[Settings, Lake]:
        settings, lake = settings_of(folder), lake_at(folder)
        put(lake, made.artists(each=60))
        if refit:
            make_topics(settings, lake)
            put(
                lake,
                pl.DataFrame([(f"y{n}", ["samba", "techno"]) for n in range(200)], made.SCHEMA, orient="row"),
            )
        return settings, lake

    def rows(lake: Lake) -> dict[str, Any]:
        """All but what differs between two lakes: names of files and times of commits."""
        found = contents(lake, *TABLES)
        for row in found["topic_fits"]:
            row.update(fitted_at=None, assigned=row["assigned"] is not None)
        return found

    said = Overrides({"swing": "other"}, "said.csv")
    settings, lake = world(tmp_path_factory.mktemp("whole"))
    counting = BreakingLake(lake)
    make_topics(settings, counting, refit=refit, overrides=said)  # type: ignore[arg-type] a lake but for its class
    assert counting.tables == ["topic_fits", "genre_groups", "track_languages", "artist_groups", "topic_fits"]
    expected = rows(lake)
    for number in range(1, 6):
        settings, lake = world(tmp_path_factory.mktemp("killed"))
        with pytest.raises(BrokenError):
            make_topics(settings, BreakingLake(lake, number, after=after), refit=refit, overrides=said)  # type: ignore[arg-type] a lake but for its class
        make_topics(settings, lake, refit=refit, overrides=said)
        assert rows(lake) == expected, number


FAULTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], int, str]] = {
    "no such file": (
        ("--overrides", "/nowhere.csv"),
        (),
        1,
        "--overrides /nowhere.csv: there is no such file",
    ),
    "unknown genre": (("--overrides", "{home}/polkka.csv"), (), 1, "no artist has the genre 'polkka'"),
    "two groups": (("--overrides", "{home}/two.csv"), (), 1, "jazz has two groups"),
    "no language": ((), ('topics.languages=["pl","klingon"]',), 2, "topics.languages: klingon: no language"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_errors_are_one_line_and_write_nothing(
    name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, more, code, told = FAULTS[name]
    (home / "polkka.csv").write_text("genre,group\npolkka,other\n", encoding="utf-8")
    (home / "two.csv").write_text("genre,group\njazz,other\njazz,metal\n", encoding="utf-8")
    assert run(home, *(word.format(home=home) for word in words), more=more) == code
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert told in error[0]
    assert not any(lake_at(home).exists(table) for table in TABLES)


def test_lakes_without_artists_or_genres(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 1
    assert "run the ingest job first" in capsys.readouterr().err
    put(lake_at(tmp_path), pl.DataFrame([("a", None), ("b", [""])], made.SCHEMA, orient="row"))
    assert run(tmp_path) == 1
    assert "none of the 2 artists" in capsys.readouterr().err
    # without tracks there are groups all the same
    put(lake_at(tmp_path), pl.DataFrame([("c", ["jazz"])], made.SCHEMA, orient="row"))
    assert run(tmp_path) == 0
    assert lake_at(tmp_path).rows("track_languages").num_rows == 0

"""Artists and tracks in, the whole tables out, without Spark."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.schemas import ARTIST_GROUPS, TRACK_LANGUAGES
from pozytywka_spark.topics.artists_work import ARTISTS, TRACKS, Assign, Files, Part, Split, artist_groups
from pozytywka_spark.topics.languages import Asked
from tests.in_memory import MemoryFiles

GENRES = pl.DataFrame(
    [
        ("rock", "rock", "rock", 0.9), ("soft rock", "rock", "soft rock", 0.8),
        ("hard rock", "rock", "rock", 0.5),
        ("pop", "pop", "pop", 0.7), ("dream pop", "pop", "pop", 0.6), ("hum", "other", "other", 0.0),
        ("noise", "other", "other", 0.0),
    ],
    ["genre", "group_id", "subgroup_id", "confidence"], orient="row",
)  # fmt: skip
SCHEMA = {"id": pl.String, "genres": pl.List(pl.String)}
ASKED = Asked(("en", "pl", "ko"), 0.6)


def groups_of(*genres: list[str | None] | None) -> list[tuple[str | None, str | None, float | None]]:
    frame = pl.DataFrame({"id": [f"{n:03}" for n in range(len(genres))], "genres": list(genres)}, SCHEMA)
    return [row[1:] for row in artist_groups(frame, GENRES).sort("id").rows()]


def test_the_group_of_most_genres_and_within_it_the_subgroup_of_most() -> None:
    assert groups_of(
        ["rock", "soft rock", "pop"],
        ["rock", "hard rock", "soft rock"],
        ["pop", "soft rock"],  # a tie: rock is surer
        ["pop", "hard rock"],  # a tie: pop is
        ["hum", "noise", "pop"],  # one that has a group is worth more than two that have none
        ["hum"],
        [],
        None,
        ["", None],
        ["pop", "pop", "rock"],  # twice counts once: rock is surer
    ) == [
        ("rock", "rock", 2 / 3),
        ("rock", "rock", 1.0),
        ("rock", "soft rock", 0.5),
        ("pop", "pop", 0.5),
        ("pop", "pop", 1 / 3),
        ("other", "other", 1.0),
        (None, None, None),
        (None, None, None),
        (None, None, None),
        ("rock", "rock", 0.5),
    ]


@pytest.mark.thorough
@given(st.lists(st.lists(st.sampled_from(GENRES.get_column("genre").to_list()), max_size=7), max_size=6))
def test_as_by_hand(catalogue: list[list[str]]) -> None:
    rows = {genre: rest for genre, *rest in GENRES.iter_rows()}

    def most(genres: list[str], place: int) -> str:
        def rank(name: str) -> tuple[bool, int, int, str]:
            mine = [genre for genre in genres if rows[genre][place] == name]
            return name == "other", -len(mine), -sum(round(1e6 * rows[genre][2]) for genre in mine), name

        return min({rows[genre][place] for genre in genres}, key=rank)

    for genres, found in zip(catalogue, groups_of(*catalogue), strict=True):
        held = sorted(set(genres))
        if not held:
            assert found == (None, None, None)
            continue
        group = most(held, 0)
        inside = [genre for genre in held if rows[genre][0] == group]
        assert found == (group, most(inside, 1), len(inside) / len(held))


@pytest.mark.thorough
def test_the_whole_tables() -> None:
    files = MemoryFiles()
    artists = pl.DataFrame([("a", ["rock"]), ("b", None), ("c", ["pop"])], SCHEMA, orient="row")
    tracks = pl.DataFrame(
        [
            ("t1", "Nie płacz, kiedy odjadę", "a"), ("t2", "Czy pamiętasz jeszcze tamte dni", "a"),
            ("t3", "La", "a"), ("t4", "사랑해", "b"), ("t5", None, "c"),
            ("t6", "All you need is love", "nobody"), ("t7", "x", None),
        ],
        ["id", "name", "id_artist"], orient="row",
    )  # fmt: skip
    items = [Files(ARTISTS, (files.put_file(artists, {}),)), Files(TRACKS, (files.put_file(tracks, {}),))]
    assert list(Split(3)(items, files)) == []
    held: dict[str, list[list[Parcel]]] = {
        kind: [[p for p in files.parcels if (p.kind, p.key) == (kind, (n,))] for n in range(3)]
        for kind in (ARTISTS, TRACKS)
    }
    parts = [Part(n, tuple(held[ARTISTS][n]), tuple(held[TRACKS][n])) for n in range(3)]
    told = list(Assign(files.put("genres", GENRES), ASKED, "fit")(parts, files))
    assert {key: sum(line[key] for line in told) for key in told[0]} == {
        "artists": 3, "group": 2, "language": 2, "tracks": 3,
    }  # fmt: skip
    written = {
        table.name: pl.concat([rows for name, _, rows in files.written if name == table.name])
        for table in (ARTIST_GROUPS, TRACK_LANGUAGES)
    }
    rows = written[ARTIST_GROUPS.name].sort("id").select(ARTIST_GROUPS.columns)
    assert rows.drop("language_confidence").rows() == [
        ("a", "rock", "rock", 1.0, "pl", 3, "fit"),
        ("b", None, None, None, "ko", 1, "fit"),
        ("c", "pop", "pop", 1.0, None, 0, "fit"),
    ]
    assert written[TRACK_LANGUAGES.name].sort("id").select("id", "language").rows() == [
        ("t1", "pl"), ("t2", "pl"), ("t4", "ko"),
    ]  # fmt: skip

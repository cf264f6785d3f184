"""Ids through refits, new genres, what a person says: the rows of `genre_groups`."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pozytywka_spark.errors import DataError
from pozytywka_spark.schemas import GENRE_GROUPS
from pozytywka_spark.topics.by_words import learn_words
from pozytywka_spark.topics.counts import GenreCounts, count_genres
from pozytywka_spark.topics.fit import fit_groups
from pozytywka_spark.topics.groups import (
    grouped,
    kept_overrides,
    moved_rows,
    moved_share,
    overridden,
    with_new,
    with_vanished,
)
from pozytywka_spark.topics.identities import matched
from pozytywka_spark.topics.overrides import Overrides, checked, read_overrides
from tests.topics.made import SCHEMA, artists, family_of
from tests.topics.test_fit import HOW

COUNTS = count_genres(artists())


def first(counts: GenreCounts = COUNTS) -> pl.DataFrame:
    return grouped(fit_groups(counts, HOW), None, "one").select(GENRE_GROUPS.columns)


def of(rows: pl.DataFrame) -> dict[str, str]:
    return dict(rows.select("genre", "group_id").iter_rows())


@pytest.mark.thorough
def test_groups_have_the_id_and_name_of_their_commonest_genres() -> None:
    rows = first()
    for (group_id, name), mine in rows.filter(pl.col("group_id") != "other").group_by("group_id", "group"):
        commonest = mine.sort("artists", "genre", descending=[True, False]).get_column("genre").to_list()
        assert (group_id, name) == (commonest[0], ", ".join(commonest[:3]))
    assert rows.filter(pl.col("genre") == "quiet hum").row(0)[1:5] == ("other",) * 4
    assert rows.group_by("subgroup_id").agg(pl.col("group_id").n_unique())["group_id"].max() == 1


FITTED = pl.DataFrame(
    {"genre": ["a", "b", "c", "d", "other"], "artists": [9, 8, 7, 6, 5], "group": [0, 0, 1, 1, 2]}
)


def test_ids_go_on_so_that_most_uses_keep_theirs() -> None:
    # group 0 overlaps most with x; were it to take x by b alone, c and d would lose theirs
    assert matched(FITTED, "group", {"a": "x", "b": "y", "c": "y", "d": "y"}) == {
        0: "x",
        1: "y",
        2: "other 2",
    }
    # an id that was once is not given to others, `other` never
    assert matched(FITTED, "group", {"zz": "a"}) == {0: "b", 1: "c", 2: "other 2"}


def test_a_refit_of_the_same_counts_moves_nothing_and_keeps_all_ids() -> None:
    before = first()
    again = grouped(fit_groups(COUNTS, HOW, of(before)), before, "two")
    assert of(again) == of(before)
    assert again.get_column("subgroup_id").to_list() == before.get_column("subgroup_id").to_list()
    assert (moved_share(again), moved_rows(again).height) == (0.0, 0)
    assert again.get_column("previous_group_id").to_list() == before.get_column("group_id").to_list()


def test_what_moved_is_told_by_uses() -> None:
    rows = pl.DataFrame(
        {
            "genre": ["a", "b", "c", "d"],
            "artists": [6, 3, 1, 50],
            "group_id": ["x", "y", "x", "x"],
            "previous_group_id": ["x", "x", "other", None],
            "assigned_by": ["community"] * 4,
        }
    )
    assert moved_share(rows) == 0.4
    assert moved_rows(rows).get_column("genre").to_list() == ["b", "c"]
    said = rows.with_columns(assigned_by=pl.lit("override"))
    assert moved_rows(said).height == 0


def test_new_genres_go_to_their_company_then_by_their_words_and_known_ones_stay() -> None:
    before = first()
    more = pl.DataFrame(
        [
            ("n1", ["folk metal", "metal"]), ("n2", ["folk metal", "metal", "techno", "doom metal"]),
            ("n3", ["far metal"]), ("n4", ["unheard"]), ("n5", ["viking", "folk metal"]),
            ("n6", ["quiet hum", "hum too"]),
            # were genres grouped anew, this would move samba
            *((f"s{n}", ["samba", "techno"]) for n in range(300)),
        ],
        SCHEMA, orient="row",
    )  # fmt: skip
    counts = count_genres(pl.concat([artists(), more]))
    now = with_new(before, counts, 0.5, "one")
    assert now.head(before.height).drop("artists").equals(before.drop("artists"))
    metal = of(before)["metal"]
    added = {row["genre"]: row for row in now.tail(-before.height).to_dicts()}
    assert {genre: (row["group_id"], row["assigned_by"]) for genre, row in added.items()} == {
        "folk metal": (metal, "neighbours"),
        "viking": (metal, "neighbours"),
        "far metal": (metal, "words"),
        "unheard": ("other", "other"),
        "hum too": ("other", "other"),
    }
    # 2 and 1 of metal, 1 of techno, 1 of viking, which is new and goes along
    assert added["folk metal"]["confidence"] == 4 / 5
    subgroups = set(before.filter(pl.col("group_id") == metal).get_column("subgroup_id"))
    assert {added[genre]["subgroup_id"] for genre in ("folk metal", "viking", "far metal")} <= subgroups
    assert added["viking"]["group"] == added["folk metal"]["group"]
    today = dict(now.select("genre", "artists").iter_rows())
    assert (today["samba"], today["quiet hum"]) == (
        dict(before.select("genre", "artists").iter_rows())["samba"] + 300,
        6,
    )
    assert with_new(now, counts, 0.5, "one").equals(now)


def test_genres_that_vanish_stay_with_no_artists() -> None:
    before = first()
    counts = count_genres(artists().filter(~pl.col("id").str.starts_with("jazz")))
    now = with_new(before, counts, 0.5, "one")
    assert of(now) == of(before)
    assert now.filter(pl.col("genre") == "stride").get_column("artists").item() <= 5


def test_overrides_hold_through_refits() -> None:
    before = first()
    metal, jazz = of(before)["metal"], of(before)["jazz"]
    said = overridden(before, {"swing": metal, "quiet hum": jazz, "acid": "other"}, COUNTS)
    rows = {row["genre"]: row for row in said.to_dicts()}
    assert (rows["swing"]["group_id"], rows["swing"]["assigned_by"], rows["swing"]["confidence"]) == (
        metal,
        "override",
        1.0,
    )
    assert rows["swing"]["group"] == rows["metal"]["group"]
    assert rows["swing"]["subgroup_id"] in {
        rows[genre]["subgroup_id"] for genre in rows if family_of(genre) == "metal"
    }
    assert (rows["acid"]["group_id"], rows["acid"]["subgroup_id"], rows["acid"]["group"]) == ("other",) * 3
    untouched = ~pl.col("genre").is_in(["swing", "quiet hum", "acid"])
    assert said.filter(untouched).equals(before.filter(untouched))
    after = grouped(fit_groups(COUNTS, HOW), said, "two").select(GENRE_GROUPS.columns)
    assert kept_overrides(after, said) == {"swing": metal, "quiet hum": jazz, "acid": "other"}
    again = overridden(after, kept_overrides(after, said), COUNTS)
    assert of(again) == of(said)
    assert moved_share(again) == 0


def test_overrides_follow_a_group_that_is_no_more_and_wait_for_genres_that_are_gone() -> None:
    before = overridden(first(), {"swing": of(first())["metal"]}, COUNTS)
    metal = of(before)["metal"]
    gone = before.with_columns(
        pl.when(pl.col("group_id") == metal).then(pl.lit("old")).otherwise("group_id").alias("group_id")
    )
    # its genres are a new group's now, as ids were matched without it
    after = first().with_columns(
        previous_group_id=pl.col("genre").replace_strict(of(gone), default=None, return_dtype=pl.String)
    )
    assert kept_overrides(after, gone) == {"swing": metal}
    without = after.filter(pl.col("genre") != "swing")
    waiting = with_vanished(without, gone, {"swing": metal}).tail(1).to_dicts()[0]
    assert (waiting["genre"], waiting["artists"], waiting["subgroup_id"]) == ("swing", 0, None)


def test_words_tell_but_not_of_themselves() -> None:
    words = learn_words({"black metal": "m", "doom metal": "m", "cool jazz": "j", "jazz": "j", "samba": "s"})
    assert words.group_of("Nordic-METAL")[0] == "m"  # type: ignore[index] there is one
    assert words.group_of("nothing") is None
    assert words.group_of("samba", without="s") is None
    assert words.group_of("cool jazz", without="j")[0] == "j"  # type: ignore[index] by jazz
    assert words.group_of("doom metal", among=["j", "s"])[0] == "j"  # type: ignore[index] the larger one


def file_of(folder: Path, text: str) -> str:
    path = folder / "said.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_of_overrides_by_id_or_name_or_taken_back(tmp_path: Path) -> None:
    rows = first()
    jazz = rows.filter(pl.col("genre") == "jazz").row(0, named=True)
    text = f'group,genre,why\n"{jazz["group"]}",swing,x\nother,acid,\n,samba,\nother,acid,again\n'
    said = read_overrides(file_of(tmp_path, text))
    assert checked(said, rows) == ({"swing": jazz["group_id"], "acid": "other"}, ["samba"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("genre,group\npolkka,other\n", "no artist has the genre 'polkka'; --export lists all"),
        ("genre,group\nx,other\ny,other\nz,other\n", "no artist has the genre 'x' (and 2 others)"),
        ("genre,group\njazz,metall\n", "there is no group 'metall'; --export lists all"),
        ("genre,group\njazz,other\njazz,metal\n", "jazz has two groups, 'other' and 'metal'"),
        ("genre;group\njazz;other\n", "expected a first line with the columns genre and group"),
        ("", "expected a first line with the columns genre and group"),
    ],
)
def test_overrides_that_cannot_be(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        checked(read_overrides(file_of(tmp_path, text)), first())
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_of_overrides_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_overrides(str(tmp_path / "none.csv"))
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"genre,group\n\xff\xfe,x\n")
    with pytest.raises(DataError, match="no CSV in UTF-8"):
        read_overrides(str(binary))
    assert checked(Overrides({}, "none"), first()) == ({}, [])

"""Titles: what is asked of them, what scripts say, that unsure ones have no answer; then real ones."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.config.topics import Topics
from pozytywka_spark.topics.languages import Asked, Language, unknown_languages
from pozytywka_spark.topics.titles import MOST_CHARACTERS, MOST_TITLES, script_of, song_of, songs_of
from tests.topics.judge import real_lines, share_right
from tests.topics.truth import language_of

SETTINGS = Topics()
ASKED = Asked(SETTINGS.languages, SETTINGS.language_confidence)


@pytest.mark.parametrize(
    ("title", "song"),
    [
        ("Taking Care Of Business - 2005 Remaster", "taking care of business"),
        ("Chega de Saudade (Ao Vivo)", "chega de saudade"),
        ("Quiero - En Directo", "quiero"),
        ("Kolorowe sny [feat. Ola] - Radio Edit", "kolorowe sny"),
        ("Song ft. Somebody Else", "song"),
        ("バラ色の日々 (Remastered 2012)", "バラ色の日々"),
        ("Mi Vida - Versión Acústica", "mi vida"),
        ("Live and Let Die", "live and let die"),
        ("Demons", "demons"),
        ("AC/DC - Thunder", "ac/dc - thunder"),
        ("<b>Bold</b> &amp; brave", "bold brave"),
        ("(Live)", ""),
        ("1999", ""),
        ("🎵🎵", ""),
        (" - ", ""),
        ("", ""),
        ("x" * 1_000_000, "x" * MOST_CHARACTERS),
    ],
)
def test_a_songs_own_words(title: str, song: str) -> None:
    assert song_of(title) == song


def test_songs_count_once_in_an_order_of_their_own() -> None:
    titles = ["Sen", "Sen - Live", None, "7", "Noc (feat. X)", "Dzień"]
    assert sorted(songs_of(titles)) == ["dzień", "noc", "sen"]
    assert songs_of(titles) == songs_of(reversed(titles))
    many = [f"title {number:x} z" for number in range(MOST_TITLES + 50)]
    assert len(songs_of(many)) == MOST_TITLES
    assert songs_of(many) == songs_of(many[::-1])


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("titles", "language"),
    [
        (["사랑해"], "ko"),
        (["紅", "人生いろいろ", "Love Love"], "ja"),
        (["誕生", "キミがいる", "街"], "ja"),
        (["Το παιδί"], "el"),
        (["שלום"], None),  # Hebrew, which isn't expected
        (["สวัสดี"], None),
        (
            ["Czy pamiętasz jeszcze tamte dni", "Nie płacz, kiedy odjadę", "Jeszcze się tam żagiel bieli"],
            "pl",
        ),
        (["I want to hold your hand", "All you need is love", "Here comes the sun"], "en"),
        (["Minä rakastan sinua", "Yö ja päivä", "Sinun kanssasi kotiin"], None),  # Finnish
        (["Okay"], None),
        (["1999", "🎵", "  "], None),
        ([None], None),
        ([], None),
    ],
)
def test_artists_by_script_or_letters_or_not_at_all(titles: list[str | None], language: str | None) -> None:
    found = ASKED.of_artist(titles)
    assert found.language == language
    assert (found.confidence is None) is (language is None)
    # beside titles in kana Latin ones aren't asked
    assert found.titles == len([song for song in songs_of(titles) if language != "ja" or song != "love love"])


def test_a_title_alone_must_be_sure() -> None:
    assert ASKED.of_title("Nie płacz, kiedy odjadę").language == "pl"
    assert ASKED.of_title("愛してる") == Language("ja", 1.0, 1)
    assert ASKED.of_title("La") == Language(None, None, 1)
    assert ASKED.of_title(None) == ASKED.of_title("2001 - 2003") == Language(None, None, 0)
    sure = Asked(SETTINGS.languages, 1.0)
    assert sure.of_title("Nie płacz, kiedy odjadę").language is None


def test_only_what_is_expected_is_answered() -> None:
    titles = ["Czy pamiętasz jeszcze tamte dni", "Nie płacz, kiedy odjadę"]
    assert Asked(("en", "de"), 0.6).of_artist(titles).language is None
    assert (
        Asked(("en", "fi"), 0.6).of_artist(["Minä rakastan sinua", "Sinun kanssasi kotiin"]).language == "fi"
    )
    assert unknown_languages(["pl", "xx", "en", "klingon"]) == ["xx", "klingon"]


@pytest.mark.thorough
@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=8))
def test_whatever_titles_are_there_is_an_answer_that_order_does_not_change(titles: list[str | None]) -> None:
    found = ASKED.of_artist(titles)
    assert found == ASKED.of_artist(titles[::-1])
    assert found.language is None or (
        found.language in SETTINGS.languages and 0.6 <= (found.confidence or 0) <= 1
    )
    for title in titles:
        assert ASKED.of_title(title).titles in (0, 1)


def test_scripts() -> None:
    texts = ("noc", "ночь", "夜", "夜の", "밤", "νύχτα", "لیل", "x 夜夜")
    scripts = ["latin", "another", "han", "kana", "hangul", "greek", "another", "han"]
    assert [script_of(text) for text in texts] == scripts


@pytest.mark.thorough
def test_real_artists_by_their_genres(sample: Path) -> None:
    titles = defaultdict(list)
    for line in real_lines("sample", "tracks"):
        titles[line["id_artist"]].append(line["name"])
    named = [(line["id"], language_of(line["genres"] or [])) for line in real_lines("sample", "artists")]  # type: ignore[arg-type] lists of text
    expected = [(artist, code) for artist, code in named if code and code != "unexpected"]
    three = [
        (ASKED.of_artist(titles[artist]).language, code)  # type: ignore[arg-type] texts
        for artist, code in expected
        if len(titles[artist]) >= 3
    ]
    answered, right = share_right(three)
    assert len(three) > 800
    assert answered >= 0.85
    assert right >= 0.95
    # a tenth of them is enough to see the same of single titles
    alone = [
        (ASKED.of_title(title).language, code) for artist, code in expected[::10] for title in titles[artist]
    ]  # type: ignore[arg-type] texts
    answered, right = share_right(alone)
    assert len(alone) > 500
    assert answered >= 0.5
    assert right >= 0.9
    # who sings in what nobody expects is mostly left alone
    others = [
        ASKED.of_artist(titles[artist]).language
        for artist, code in named
        if code == "unexpected" and len(titles[artist]) >= 3
    ]  # type: ignore[arg-type] texts
    assert sum(language is not None for language in others) / len(others) < 0.15

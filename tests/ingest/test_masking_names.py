"""Users' own names and streets are found in their texts by hashes, in the forms that people write them in."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.ingest.masking.name_words import KnownNames, mask_words, nameless, words_of
from pozytywka_spark.ingest.masking.name_work import ReadNames, new_names
from pozytywka_spark.ingest.masking.plain_text import plain_text
from pozytywka_spark.ingest.masking.word_forms import folded
from pozytywka_spark.ingest.parcels import NAMES, NEW_NAMES
from pozytywka_spark.ingest.resolve.new_rows import RowSlice
from pozytywka_spark.lake.storage.filesystem import Storage
from pozytywka_spark.synthetic import words
from tests.in_memory import MemoryFiles, MemoryTasks

SALT = b"a salt of a test"


def found(text: str, name: str | None = None, street: str | None = None, salt: bytes = SALT) -> str:
    hashes = {word[1:]: word[:1] for word in words_of(name, street, salt)}
    return mask_words(plain_text(text), hashes, salt)[0]


# By name, or street: how it stands in sentences; written down from a grammar, not from the code
FORMS = {
    "Kowalski": "Kowalskiego Kowalskiemu Kowalskim Kowalscy Kowalskich kowalski KOWALSKI Kowalskiego.",
    "Kowalska": "Kowalskiej Kowalską Kowalska kowalskiej KOWALSKĄ",
    "Nowak": "Nowaka Nowakowi Nowakiem Nowaku Nowakowie Nowaków",
    "Jan": "Jana Janowi Janem Janie",
    "Marek": "Marka Markowi Markiem Marku marek",
    "Paweł": "Pawła Pawłowi Pawłem Pawle pawel PAWEŁ",
    "Piotr": "Piotra Piotrowi Piotrem Piotrze",
    "Antoni": "Antoniego Antoniemu Antonim",
    "Ewa": "Ewy Ewie Ewę Ewą Ewo",
    "Iga": "Igi Idze Igę igi IGI",
    "Anna": "Anny Annie Annę Anną anna",
    "Magda": "Magdy Magdzie Magdę Magdą",
    "Olga": "Olgi Oldze Olgę Olgą",
    "Monika": "Moniki Monice Monikę monika",
    "Agata": "Agaty Agacie Agatę",
    "Zofia": "Zofii Zofię Zofią ZOFIA",
    "Łucja": "Łucji Łucję lucja Lucji",
    "Świerszcz": "Świerszcza Świerszczem swierszcz",
    "Żołądź": "Żołędzia Żołędziem zoledzia żołądź",
    "Gołąb": "Gołębia Gołębiowi GOŁĘBIEM",
    "Maja": "Mai Maję Mają maja MAI",
    "O'Brien": "O'Brien Brien brien",
    "Müller": "Müller Muller MÜLLER mu\u0308ller",
    "João": "João Joao JOÃO",
    "Иванов": "Иванов иванов",
}
STREETS = {
    "ul. Długa 12": "Długa Długiej Długą DŁUGA dluga",
    "ul. Kwiatowa 3/4": "Kwiatowa Kwiatowej Kwiatową",
    "al. Słoneczna 7": "Słonecznej słoneczna",
    "Rua das Flores 10": "Flores flores",
    "42 Baker Street": "Baker baker",
}


@pytest.mark.parametrize("name", FORMS)
def test_names_are_found_in_their_forms(name: str) -> None:
    for form in FORMS[name].split():
        text = found(f"to ja, {form}! pozdrawiam", name=f"Xawery {name}")
        assert text.replace(".", "").replace("O'", "") == "to ja, [name]! pozdrawiam", form


@pytest.mark.parametrize("street", STREETS)
def test_streets_are_found_in_their_forms_with_the_numbers_behind_them(street: str) -> None:
    for form in STREETS[street].split():
        assert found(f"na {form}, wczoraj", street=street) == "na [street], wczoraj", form
        assert found(f"na {form} 12/3 m. 4", street=street) == "na [street] m. 4", form
        assert found(f"na {form}, 5A", street=street) == "na [street]", form


def test_what_is_not_caught() -> None:
    """Said in docs/how-to/take-feedback.md; when one of these is caught, say so there."""
    for name, form in (("Aleksandra", "Ola"), ("Jan", "J."), ("Jan", "J a n")):
        assert form in found(f"jestem {form} i", name=name)
    assert found("jankowalski", name="Jan Kowalski") == "jankowalski"
    assert found("na końcu ulicy", street="ul. De la 5") == "na końcu ulicy"


@pytest.mark.parametrize("name", [*words.FIRST_NAMES, *words.SURNAMES])
def test_made_names_are_found(name: str) -> None:
    ending = {"a": "ę"}.get(name[-1])
    forms = [name, name.upper(), folded(name), f"ja-{name}!", *([name[:-1] + ending] if ending else [])]
    for form in forms:
        assert "[name]" in found(form, name=f"X {name}"), form


def test_words_that_name_nobody_stay() -> None:
    text = "ale to jest ulica, a pan z aplikacją ma kartę; de la rua, the street na 5"
    assert found(text, name="Ala de la Mar", street="ul. Ta 5") == text


# Hypothesis draws words that stand in the code, too: these name nobody and stay in a text
_OF_NOBODY = frozenset((
    "alameda", "aleja", "aleje", "avenida", "avenue", "blvd", "calle", "close", "court", "drive",
    "estrada", "lane", "largo", "osiedle", "pani", "plac", "place", "praca", "przy", "road", "rondo",
    "skwer", "square", "street", "travessa", "ulica",
))  # fmt: skip
_WORD = st.text("abcdefghijklmnoprstuwyząćęłńóśźż", min_size=4, max_size=9).filter(
    lambda word: folded(word) not in _OF_NOBODY
)


@pytest.mark.thorough
@given(st.lists(_WORD, min_size=1, max_size=3), st.lists(_WORD, max_size=12), st.data())
def test_no_planted_name_stays(name: list[str], others: list[str], data: st.DataObject) -> None:
    planted = data.draw(st.sampled_from(name))
    form = data.draw(st.sampled_from((str, str.upper, str.title, folded)))(planted)
    mark = data.draw(st.sampled_from((" ", ",", "_", "-", "7", "\u200b ", "\n")))
    place = data.draw(st.integers(0, len(others)))
    text = mark.join([*others[:place], form, *others[place:]])
    left = found(text, name=" ".join(name))
    assert folded(planted) not in folded(left).replace("[name]", " ").replace("_", " ").split()
    assert found(left, name=" ".join(name)) == left


@given(st.text("abc łŻ.1", max_size=30), st.lists(_WORD, min_size=2, max_size=4))
def test_names_that_come_one_by_one_leave_what_all_at_once_leave(text: str, names: list[str]) -> None:
    text = plain_text(" ".join([text, *names, text]))
    step_by_step = text
    for name in names:
        step_by_step = found(step_by_step, name=name)
    assert step_by_step == found(text, name=" ".join(names))


def test_another_salt_finds_nothing_and_tells_nothing() -> None:
    known = {word[1:]: word[:1] for word in words_of("Jan Kowalski", None, SALT)}
    assert mask_words("Jan Kowalski", known, b"another") == ("Jan Kowalski", 0)
    assert not {word[1:] for word in words_of("Jan Kowalski", None, b"another")} & known.keys()
    assert all(len(word) == 9 for word in words_of("Jan Kowalski", "ul. Polna 1", SALT))


def test_of_a_frame_each_user_s_own_names_are_masked() -> None:
    files = MemoryFiles()
    lines = [
        b'{"user_id": 1, "name": "Jan Kowalski", "street": "ul. Polna 5"}',
        b'{"user_id": 1, "name": "Jan Nowak", "street": null}',
        b'{"user_id": 2, "name": "Ewa Wrzos", "name": "Ewa Sowa", "street": 7}',
        b'{"user_id": "x", "name": "Adam Byk"}',
        b'{"user_id": null, "name": "Adam Byk"}',
        b"{broken",
    ]
    file = files.put_file(pl.DataFrame({"value": lines}), {})
    work = ReadNames(Storage(), SALT, 1000)
    assert list(work.judge_lines([file], files)) == []
    parcels = tuple(parcel for parcel in files.parcels if parcel.kind == NAMES)
    assert list(new_names([RowSlice(parcels, (), part, 3) for part in range(3)], files)) == []
    told = tuple(parcel for parcel in files.parcels if parcel.kind == NEW_NAMES)
    texts = pl.DataFrame(
        {
            "user_id": [1, 1, 2, 2, 3, 1],
            "text": ["Kowalski, Nowak, Wrzos, Polna 5", None, "Wrzos Sowa", "Jan", "Jan Sowa", "nic"],
            "masked": [1, 0, 0, 0, 0, 2],
        },
        {"user_id": pl.Int64, "text": pl.String, "masked": pl.Int32},
    )
    masked = KnownNames(SALT, told).mask(texts, files)
    assert masked.rows() == [
        (1, "[name], [name], Wrzos, [street]", 4),
        (1, None, 0),
        (2, "[name] [name]", 2),
        (2, "Jan", 0),
        (3, "Jan Sowa", 0),
        (1, "nic", 2),
    ]
    assert KnownNames(SALT).mask(texts, files) is texts
    by_source = texts.with_columns(source=pl.Series([0, 0, 0, 0, 4, 0]))
    assert nameless(by_source, KnownNames(SALT, told).words_of(texts, files)) == {4: 1}
    assert nameless(by_source, {}) == {0: 4, 4: 1}, "of a row without a text nothing is said"


def test_words_that_the_table_holds_are_not_written_again() -> None:
    tasks = MemoryTasks()
    rows = pl.DataFrame({"user_id": [1, 1, 2, 1], "word": [b"a", b"b", b"a", b"a"]})
    first = tasks.run([RowSlice((tasks.put(NAMES, rows),), ())], new_names, weight=lambda _: 1, named=str)
    (written,) = first.written
    assert tasks.rows(written).rows() == [(1, b"a"), (1, b"b"), (2, b"a")]
    held = tasks.shards("name_words", first.written)[0].files
    more = pl.DataFrame({"user_id": [1, 3, 2], "word": [b"a", b"a", b"b"]})
    again = tasks.run([RowSlice((tasks.put(NAMES, more),), held)], new_names, weight=lambda _: 1, named=str)
    assert tasks.rows(again.written[0]).rows() == [(2, b"b"), (3, b"a")]
    assert [parcel.rows for parcel in again.of(NEW_NAMES)] == [2]

"""What people of a made world write: what moves them, what stands in it, and that no other world changes."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from pozytywka_spark.config import Synthetic
from pozytywka_spark.synthetic.life import life_of
from pozytywka_spark.synthetic.lines import dump
from pozytywka_spark.synthetic.parts import PARTS, entities_of, parts_of
from pozytywka_spark.synthetic.people import passports, people_of
from pozytywka_spark.synthetic.texts.grammar import SUBJECTS, TOPICS, Dice, grammar_of
from pozytywka_spark.synthetic.texts.messages import Message, messages_of
from pozytywka_spark.synthetic.texts.occasions import occasions_of
from pozytywka_spark.synthetic.texts.personal import Person, bent, bent_street, plain, value_of
from tests.worlds.synthetic import TINY, events_table, planned

CHUNKS = 4
LANGUAGES = ("en", "pl", "pt")
# worlds as they were before anybody wrote: stamps and lines
BEFORE = {
    "plain": "e238833dd1451f5c13be4d94c04dfe19883ff1c5d14227de0f50d282eff802b7",
    "fraud": "f5892e583b98500f2482139a281dad857659e1077bee4ac34a86272ead3f1664",
}
FRAUD = {"fraud": {"rings": 1, "accounts": 10, "fans": 3, "bots": 2}, "drift": {"from_month": "2022-03"}}


def world(**feedback: object) -> Synthetic:
    return Synthetic.model_validate({"users": 500 * CHUNKS, "feedback": {"rate": 1.0, **feedback}})


@cache
def messages(made: Synthetic) -> list[Message]:
    return [message for chunk in range(CHUNKS) for message in messages_of(planned(made), chunk)]


def table(made: Synthetic) -> pd.DataFrame:
    """Rows and truth side by side."""
    rows = pd.DataFrame([message.row for message in messages(made)])
    truth = pd.DataFrame([message.truth for message in messages(made)])
    rows = rows.assign(time=pd.to_datetime(rows.timestamp)).rename(
        columns={"queue": "label", "spam": "marked"}
    )
    return rows.merge(truth.drop(columns=["user_id", "channel"]), on="feedback_id", validate="1:1")


def digest(made: Synthetic, *, stamp: bool = True) -> str:
    plan = planned(made)
    sha = hashlib.sha256(plan.stamp().encode() if stamp else b"")
    for entity, make in PARTS.items():
        for part in range(parts_of(plan, entity)):
            for line in make(plan, part)[0].to_pylist():
                sha.update(line.encode() + b"\n")
    return sha.hexdigest()


@pytest.mark.thorough
@pytest.mark.parametrize("kind", BEFORE)
def test_worlds_in_which_nobody_writes_are_the_same_bytes_as_before_stamp_included(kind: str) -> None:
    made = Synthetic.model_validate(
        {**TINY.model_dump(exclude_unset=True), **(FRAUD if kind == "fraud" else {})}
    )
    assert entities_of(planned(made)) == PARTS
    assert digest(made) == BEFORE[kind]


@pytest.mark.thorough
def test_writing_changes_nothing_else() -> None:
    quiet = TINY.model_copy()
    loud = Synthetic.model_validate({**TINY.model_dump(exclude_unset=True), "feedback": {"rate": 2.0}})
    assert digest(loud, stamp=False) == digest(quiet, stamp=False)
    assert planned(loud).level == planned(quiet).level
    stamps = [json.loads(planned(each).stamp())["world"] for each in (quiet, loud)]
    assert "feedback" not in stamps[0]
    assert stamps[1].pop("feedback")["rate"] == 2.0
    assert stamps[0] == stamps[1]


@pytest.mark.thorough
def test_lines_are_what_the_contract_says() -> None:
    found = table(world())
    assert list(messages(world())[0].row) == [
        "feedback_id", "timestamp", "user_id", "channel", "text", "score", "queue", "spam",
    ]  # fmt: skip
    assert found.feedback_id.is_unique
    assert set(found.channel) == {"nps", "support", "comment"}
    assert (found.score.notna() == (found.channel == "nps")).all()
    assert found.score.dropna().between(0, 10).all()
    assert (found.text.str.len() > 2).all()
    assert found.time.max() < pd.Timestamp("2023-03-01")
    labelled = found.marked.notna()
    assert labelled.mean() == pytest.approx(0.3, abs=0.03)
    assert (found.label.notna() == (labelled & ~found.spam)).all()
    assert (found[labelled].marked == found[labelled].spam).all()
    told = found[found.label.notna()]
    assert (told.label != told.queue).mean() == pytest.approx(0.02, abs=0.015)
    assert found.spam.mean() == pytest.approx(0.03, abs=0.01)
    assert set(found.queue.dropna()) == set(SUBJECTS)
    assert found.language.value_counts(normalize=True).between(0.28, 0.39).all()


@pytest.mark.thorough
def test_people_write_as_often_as_they_should_and_after_they_listened() -> None:
    found = table(world())
    events = events_table(world(), CHUNKS)
    months = len(events.assign(month=events.time.dt.to_period("M")).groupby(["user_id", "month"]).size())
    assert len(found) / months == pytest.approx(1.0, abs=0.05)
    first = events.groupby("user_id").time.min()
    assert (found.time > found.user_id.map(first)).all()
    assert not found.duplicated(["user_id", "timestamp", "text"]).any()


def test_there_are_a_great_many_texts() -> None:
    found = table(world())
    assert found.text.nunique() > 0.99 * len(found)
    # so many different ones of each kind that the same again is rare: n²/2N pairs are expected of N
    main = found[(found.channel == "support")].text
    assert main.nunique() > 0.998 * len(main)


def test_subjects_follow_what_somebody_lived_through() -> None:
    found = table(world())
    bought = events_table(world(), CHUNKS).query("kind == 'BUY_PREMIUM'").set_index("user_id").time
    since = (found.time - found.user_id.map(bought)).dt.days
    plan = planned(world())
    adverts = {}
    for chunk in range(CHUNKS):
        people = people_of(plan, chunk)
        adverts |= dict(zip(people.user_id.tolist(), people.advert.tolist(), strict=True))
    free = found[~(since >= 0) & ~found.spam]
    paying = found[(since >= 0) & ~found.spam]
    often = free.user_id.map(adverts) > 0.5
    of = (free.queue == "adverts").groupby(often).mean()
    assert of[True] > 1.4 * of[False]
    assert (paying.queue == "adverts").mean() < 0.03 < 0.1 < (free.queue == "adverts").mean()
    assert (paying.topic == "price").mean() < 0.01 < 0.1 < (free.topic == "price").mean()
    refunds = (paying.topic == "refund").groupby(since[paying.index] < 60).mean()
    assert refunds[True] > 2 * refunds[False]
    assert paying[paying.channel == "nps"].score.mean() > free[free.channel == "nps"].score.mean() + 0.5
    assert (free[free.sentiment == "negative"].queue != "praise").all()


@pytest.mark.thorough
@pytest.mark.parametrize("power", [0.0, 1.5])
def test_the_pull_to_premium_asks_for_its_price_at_the_power_it_should_and_for_nothing_else(
    power: float,
) -> None:
    """In a world in which nobody buys, or those left would be those with little of it."""
    plan = replace(planned(world(taste=power, rate=3.0)), level=0.0)
    logs, topics = [], []
    for chunk in range(CHUNKS):
        life = life_of(plan, chunk)
        found = occasions_of(plan, life)
        logs.append(np.log(life.people.taste / life.people.patience).clip(-3, 3)[found.user])
        topics.append(np.array([topic for _, topic in TOPICS])[found.topic])
    by_topic = pd.Series(np.concatenate(logs)).groupby(np.concatenate(topics))
    asks = ["card", "price"] if power else []
    others = pd.concat([rows for topic, rows in by_topic if topic not in asks])
    for topic, rows in by_topic:
        # a person's texts share their pull: some three of them are worth one
        error = 4 * others.std() / np.sqrt(len(rows) / 3)
        assert (
            (rows.mean() > others.mean() + 0.5)
            if topic in asks
            else (abs(rows.mean() - others.mean()) < error)
        )


def test_sentiment_goes_with_the_score() -> None:
    nps = table(world()).query("channel == 'nps' and not spam")
    assert (nps[nps.score >= 9].sentiment == "positive").all()
    assert (nps[nps.score <= 6].sentiment == "negative").all()
    assert 0.2 < (nps.score >= 9).mean() < 0.6
    assert 0.15 < (nps.score <= 6).mean() < 0.5


@pytest.mark.thorough
def test_test_texts_share_no_sentence_with_earlier_ones() -> None:
    found = table(world(test_from="2022-10"))
    late = found.time >= "2022-10-01"
    assert (found.part == np.where(late, "test", "train")).all()
    used = [set(found[mask].templates.explode()) for mask in (late, ~late)]
    assert not used[0] & used[1]
    assert min(len(each) for each in used) > 150


@pytest.mark.thorough
def test_what_is_planted_stands_in_the_text() -> None:
    found = table(world(personal=1.0))
    assert (found[~found.spam].planted.str.len() > 0).all()
    names = {}
    for chunk in range(CHUNKS):
        people, known = people_of(planned(world()), chunk), passports(planned(world()), chunk)
        names |= dict(zip(people.user_id.tolist(), known["name"].tolist(), strict=True))
    kinds: dict[str, int] = {}
    for row in found.itertuples():
        for each in row.planted:
            kinds[each["kind"]] = kinds.get(each["kind"], 0) + 1
            assert each["text"] in row.text
            if each["kind"] == "card":
                assert luhn(each["text"])
            if each["kind"] == "name" and not each["bent"]:
                words = {plain(word).lower() for word in names[row.user_id].split()}
                assert {plain(word).lower() for word in each["text"].split()} <= words
    assert min(kinds.values()) > 100
    assert set(kinds) == {"name", "street", "email", "phone", "card", "link"}


def luhn(text: str) -> bool:
    digits = [int(char) for char in text if char.isdigit()]
    other = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(digits) == 16 and (sum(digits[-1::-2]) + sum(other)) % 10 == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Hanna Gąska", "Hanny Gąski"), ("Olga Piernik", "Olgi Piernik"), ("Marek Bączek", "Marka Bączka"),
        ("Adam Sowa", "Adama Sowy"), ("Antoni Liść", "Antoniego Liścia"), ("Kalina Pralka", "Kaliny Pralki"),
    ],
)  # fmt: skip
def test_names_are_bent_as_polish_does(name: str, expected: str) -> None:
    assert bent(name) == expected


def test_streets_are_bent_as_polish_does() -> None:
    assert bent_street("ul. Cicha 12") == "ul. Cichej 12"
    assert bent_street("pl. Głęboka 3") == "pl. Głębokiej 3"


@pytest.mark.thorough
def test_the_same_world_writes_the_same() -> None:
    plan = planned(world())
    first, again = (dump(message.row for message in messages_of(plan, 1)) for _ in range(2))
    assert first == again
    assert first != dump(message.row for message in messages_of(planned(world(personal=0.5)), 1))
    assert len(life_of(plan, 1).people) == 500


@pytest.mark.parametrize("language", LANGUAGES)
def test_grammars_have_what_texts_need(language: str) -> None:
    grammar = grammar_of(language)
    person = Person("Hanna Gąska", "ul. Cicha 12", "Radom", language)
    dice = Dice(np.random.default_rng(1))
    assert {key[:2] for key in grammar.sentences} == {key[:2] for key in grammar_of("en").sentences}
    for (section, name, part), sentences in grammar.sentences.items():
        assert len(sentences) >= (2 if part == "test" else 4), (section, name, part)
        for sentence in sentences:
            for slot in sentence.parts[1::2]:
                if slot.isupper():
                    assert value_of(slot, person, dice)
                else:
                    assert grammar.words[slot]
    train, test = ({each.id for key, found in grammar.sentences.items() if key[2] == part for each in found}
                   for part in ("train", "test"))  # fmt: skip
    assert not train & test
    texts = [
        "".join(each.parts) for key, found in grammar.sentences.items() if key[2] == "all" for each in found
    ]
    assert len(texts) == len(set(texts))


def test_numbers_are_of_many_shapes() -> None:
    dice = Dice(np.random.default_rng(2))
    person = Person("Hanna Gąska", "ul. Cicha 12", "Radom", "pl")
    phones = {re.sub(r"\d", "9", value_of("PHONE", person, dice)) for _ in range(200)}
    assert phones == {"+99 999 999 999", "999 999 999", "999-999-999", "999999999", "+99999999999"}


def test_a_language_that_nobody_writes_is_refused() -> None:
    with pytest.raises(ValidationError):
        world(languages=("en", "tlh"))

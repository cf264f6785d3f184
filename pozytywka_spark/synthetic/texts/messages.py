"""The texts of a chunk's users: lines as a service delivers them, and what is true of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.life import life_of
from pozytywka_spark.synthetic.lines import Row, timestamps
from pozytywka_spark.synthetic.people import People, passports
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.texts.grammar import SUBJECTS, TOPICS, Dice
from pozytywka_spark.synthetic.texts.occasions import CHANNELS, MOODS, OCCASIONS, Occasions, occasions_of
from pozytywka_spark.synthetic.texts.personal import Person
from pozytywka_spark.synthetic.texts.wording import Text, Writer, spam, written

_WRITERS, _WORDS, _LABELS = 1, 2, 3  # second keys of the random numbers
_BARE = 0.35  # share of people who leave diacritics out
_QUEUES = tuple(SUBJECTS)


@dataclass(frozen=True)
class Message:
    """A line of the delivery, and what is true of it."""

    row: Row
    truth: Row


def messages_of(plan: Plan, chunk: int) -> list[Message]:
    """By user and time. `truth` has:

    feedback_id, user_id, language, channel, queue and topic (null for spam), second (what it is also about:
    queue.topic), vague, sentiment (negative, neutral or positive), spam, part (`train` or `test`, `all` where
    `texts.test_from` is not set), templates (ids of its sentences), planted (what has to be masked: kind,
    text as it stands there, bent).
    """
    life = life_of(plan, chunk)
    found = occasions_of(plan, life)
    writers = _writers(plan, chunk, life.people)
    dice = Dice(plan.rng(OCCASIONS, _WORDS, chunk))
    settings = plan.world.feedback
    test_ms = (
        None if settings.test_from is None else int(np.datetime64(settings.test_from, "ms").astype(np.int64))
    )
    labels = _labels(plan, chunk, found)
    times = timestamps(found.time_ms).to_pylist()
    number = np.arange(len(found)) - np.searchsorted(found.user, found.user)
    messages = []
    for at, user in enumerate(found.user.tolist()):
        part = "all" if test_ms is None else "train" if found.time_ms[at] < test_ms else "test"
        person, language, bare = writers[user]
        writer = Writer(person, language, part, bare)
        is_spam = dice() < settings.spam
        text = spam(writer, dice) if is_spam else _text(writer, dice, found, at, settings.personal)
        user_id = int(life.people.user_id[user])
        messages.append(
            _message(f"f{user_id}-{number[at]}", times[at], user_id, writer, found, at, text, is_spam, labels)
        )
    return messages


def _text(writer: Writer, dice: Dice, found: Occasions, at: int, personal: float) -> Text:
    second = int(found.second[at])
    return written(
        writer,
        dice,
        channel=CHANNELS[found.channel[at]],
        mood=int(found.mood[at]),
        topic=TOPICS[found.topic[at]],
        second=None if second < 0 else TOPICS[second],
        personal=personal,
    )


@dataclass(frozen=True)
class _Labels:
    given: Array  # whether the service tells queue and spam
    queue: Array  # the one it tells, index into the queues


def _labels(plan: Plan, chunk: int, found: Occasions) -> _Labels:
    rng = plan.rng(OCCASIONS, _LABELS, chunk)
    settings = plan.world.feedback
    given = rng.random(len(found)) < settings.labels
    true = np.array([_QUEUES.index(queue) for queue, _ in TOPICS])[found.topic]
    other = (true + 1 + rng.integers(0, len(_QUEUES) - 1, len(found))) % len(_QUEUES)
    return _Labels(given, np.where(rng.random(len(found)) < settings.wrong_labels, other, true))


def _writers(plan: Plan, chunk: int, people: People) -> list[tuple[Person, str, bool]]:
    """Each user's person, language, and whether they leave diacritics out."""
    rng = plan.rng(OCCASIONS, _WRITERS, chunk)
    languages = plan.world.feedback.languages
    which = rng.integers(0, len(languages), len(people)).tolist()
    bare = (rng.random(len(people)) < _BARE).tolist()
    known = passports(plan, chunk)
    passport = zip(known["name"].tolist(), known["street"].tolist(), known["city"].tolist(), strict=True)
    return [
        (Person(name, street, city, languages[language]), languages[language], plainly)
        for (name, street, city), language, plainly in zip(passport, which, bare, strict=True)
    ]


def _message(
    feedback_id: str,
    time: str,
    user_id: int,
    writer: Writer,
    found: Occasions,
    at: int,
    text: Text,
    is_spam: bool,
    labels: _Labels,
) -> Message:
    channel = CHANNELS[found.channel[at]]
    given = bool(labels.given[at])
    queue, topic = TOPICS[found.topic[at]]
    second = int(found.second[at])
    row: Row = {
        "feedback_id": feedback_id,
        "timestamp": time,
        "user_id": user_id,
        "channel": channel,
        "text": text.text,
        "score": int(found.score[at]) if channel == "nps" else None,
        "queue": _QUEUES[labels.queue[at]] if given and not is_spam else None,
        "spam": is_spam if given else None,
    }
    truth: Row = {
        "feedback_id": feedback_id,
        "user_id": user_id,
        "language": writer.language,
        "channel": channel,
        "queue": None if is_spam else queue,
        "topic": None if is_spam else topic,
        "second": None if is_spam or second < 0 else ".".join(TOPICS[second]),
        "vague": any(".vague." in template for template in text.templates),
        "sentiment": None if is_spam else MOODS[found.mood[at]],
        "spam": is_spam,
        "part": writer.part,
        "templates": text.templates,
        "planted": [{"kind": kind, "text": words, "bent": bent} for kind, words, bent in text.planted],
    }
    return Message(row, truth)

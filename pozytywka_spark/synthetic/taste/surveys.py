"""Answers whether a track was worth their time, with known weights of what people had done with it.

An answer is about what somebody did with the track in the `HOURS` before they were asked: finish, skip, like
it, play it again (more than once). It is LEVEL + the person's own level + SCALE · Σ weight · done + noise,
rounded to a whole number from 1 to 5. Some are asked about tracks they hadn't played, or the weights of
finishing and skipping couldn't be told apart within a person.
"""

from __future__ import annotations

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array, catalogue_of
from pozytywka_spark.synthetic.events import LIKE, PLAY, SKIP, Events, events_of
from pozytywka_spark.synthetic.life import Life, life_of
from pozytywka_spark.synthetic.plan import Plan, Rng

HOURS = 24  # before the question
# own levels are spread so widely that rounding bends no weight
LEVEL, OWN, SCALE, NOISE = 2.6, 0.45, 0.55, 0.4
QUESTIONS = 8  # to each person who is asked, at most
_OF_PLAYED = 0.7  # share of questions about tracks that were played
_SPECIAL = 0.4  # of those: share that picks among likes and repeats, which are rare
_SURVEYS = 28  # key of the random numbers
_HOUR_MS = 3_600_000
_NONE = {
    **{name: np.zeros(0, dtype=np.int64) for name in ("user_id", "track", "asked_ms", "answer")},
    "done": np.zeros((0, 4), dtype=bool),
}


def surveys_of(plan: Plan, chunk: int) -> dict[str, Array]:
    """A chunk's answers: user_id, track (index), asked_ms, answer, and `done`: answers × (finish, skip,
    like, again). Fewer than asked for where people have too few sessions."""
    life = life_of(plan, chunk)
    events = events_of(plan, life)
    rng = plan.rng(_SURVEYS, chunk)
    wanted = _share(plan, chunk)
    plain = np.flatnonzero((life.people.ring < 0) & (life.people.role < 0))
    plays = np.bincount(events.user[events.kind == PLAY], minlength=len(life.people))
    asked = plain[plays[plain] >= QUESTIONS]
    # some more than needed: somebody may be asked about a track twice in a moment, which counts once
    people = np.sort(rng.permutation(asked)[: wanted // QUESTIONS + 2])
    answers = [_questions(plan, rng, life, events, int(user)) for user in people] or [_NONE]
    return {name: np.concatenate([each[name] for each in answers])[:wanted] for name in _NONE}


def _share(plan: Plan, chunk: int) -> int:
    """Answers of a chunk, so that all of them make up `taste.surveys`."""
    ends = [
        plan.world.taste.surveys * min(plan.world.users, until) // plan.world.users
        for until in np.cumsum([plan.users_in(number) for number in range(chunk + 1)]).tolist()
    ]
    return int(ends[-1] - (ends[-2] if chunk else 0))


def _questions(plan: Plan, rng: Rng, life: Life, events: Events, user: int) -> dict[str, Array]:
    mine = slice(*np.searchsorted(events.user, [user, user + 1]))
    time, track, kind = events.time_ms[mine], events.track[mine], events.kind[mine]
    session = events.session_id[mine]
    played = np.flatnonzero(kind == PLAY)
    # asked after a session, before the next one may begin; about a track of it or another one
    last = {int(number): int(time[session == number].max()) for number in np.unique(session)}
    pairs = np.unique(np.stack([session[played], track[played]]), axis=1)
    asked_all = np.array([last[int(number)] for number in pairs[0]]) + 60_000
    done_all = _done(time, track, kind, pairs[1], asked_all)
    special = done_all[:, 2] | done_all[:, 3]
    weight = np.where(special, _SPECIAL / max(1, special.sum()), (1 - _SPECIAL) / max(1, (~special).sum()))
    count = min(QUESTIONS, len(asked_all))
    chosen = rng.choice(len(asked_all), count, replace=False, p=weight / weight.sum())
    asked, about = asked_all[chosen], pairs[1][chosen].copy()
    other = rng.random(count) >= _OF_PLAYED
    about[other] = rng.choice(np.unique(catalogue_of(plan).pools.track), int(other.sum()))
    done = _done(time, track, kind, about, asked)
    # somebody is asked about a track once in a moment
    _, first = np.unique(np.stack([about, asked]), axis=1, return_index=True)
    first = np.sort(first)
    score = LEVEL + OWN * rng.standard_normal() + SCALE * done @ np.array(plan.world.taste.survey_weights)
    answer = np.clip(np.rint(score + NOISE * rng.standard_normal(count)), 1, 5).astype(np.int64)
    order = first[np.lexsort((about[first], asked[first]))]
    return {
        "user_id": np.full(len(order), life.people.user_id[user]),
        "track": about[order],
        "asked_ms": asked[order],
        "answer": answer[order],
        "done": done[order],
    }


def _done(time: Array, track: Array, kind: Array, about: Array, asked: Array) -> Array:
    """Of each question, what was done with the track in the `HOURS` before: questions × heads."""
    inside = (track[None, :] == about[:, None]) & (time[None, :] < asked[:, None])
    inside &= time[None, :] >= asked[:, None] - HOURS * _HOUR_MS
    plays, skips, likes = ((inside & (kind == each)).sum(axis=1) for each in (PLAY, SKIP, LIKE))
    return np.stack([plays > skips, skips > 0, likes > 0, plays > 1], axis=1)

"""Who writes when, in which mood and about what: what they lived through decides, and their pull to premium.

In each month in which somebody listens they write Poisson(rate · own) texts, own a Gamma of mean 1 that has
nothing to do with anything else about them, each some hours after one of the month's sessions. The mood is

    7.4 + own level (sd 1.3) + premium + 0.35 · (ln(1 + L) - 1) - 0.55 · (ln(1 + A) - 1) + noise (sd 1.5)

L and A the likes given and adverts heard as the hazard remembers them (`hazard.py`), A nothing once premium
is bought. Rounded and cut to 0 to 10 it is the answer of the channel `nps`: positive from 9, negative to 6.

The topic is drawn by the weights of `_WEIGHTS` for the mood, times

- ln(1 + A) / 3 for adverts, next to nothing once premium is bought;
- (taste / patience)^`feedback.taste` for its price and for cards that are refused, until then; next to
  nothing from then on. The purchase comes when the summed hazard times taste reaches the patience
  (`hazard.py`): this is how strongly somebody is drawn to premium, for life, and knows nothing of later;
- 0.1 + 1.2 · 0.5^(days since the purchase / 60) for refunds, 0.05 before it;
- what `_CHANNELS` says: support gets little praise and much of accounts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pozytywka_spark.synthetic.catalogue import Array
from pozytywka_spark.synthetic.events import purchase_times
from pozytywka_spark.synthetic.life import Life
from pozytywka_spark.synthetic.plan import DAY_MS, Plan
from pozytywka_spark.synthetic.roles import BOT, SKIMMER
from pozytywka_spark.synthetic.texts.grammar import TOPICS

CHANNELS = ("nps", "support", "comment")
MOODS = ("negative", "neutral", "positive")
_SHARES = np.array([0.45, 0.35, 0.2])
# by topic, in the order of `TOPICS`, and mood
_WEIGHTS = np.array(
    [
        (1.0, 2.0, 1.5), (0.8, 0.8, 0.5), (0.4, 0.4, 0.15),  # payment
        (1.6, 0.8, 0.15), (0.8, 0.4, 0.1), (0.8, 0.3, 0.05),  # adverts
        (0.7, 0.8, 0.4), (0.4, 0.4, 0.1), (0.6, 0.4, 0.1),  # catalogue
        (0.9, 0.4, 0.1), (0.6, 0.4, 0.1), (0.7, 0.4, 0.1),  # playback
        (0.6, 0.4, 0.1), (0.35, 0.3, 0.1), (0.2, 0.4, 0.2),  # account
        (0.0, 0.3, 2.0), (0.0, 0.2, 1.2), (0.0, 0.3, 1.6),  # praise
    ]
)  # fmt: skip
_BY_QUEUE = {
    "nps": {"account": 0.4},
    "support": {"account": 2.0, "praise": 0.25},
    "comment": {"account": 0.4},
}
_HOUR_MS = 3_600_000
_AFTER_HOURS = 3.0  # mean time from a session's end to what is written about it
_LITTLE = 0.02
_PULLS = (0.05, 20.0)  # taste over patience counts as no less and no more
_SECOND = 0.12  # share of texts that go on about something else
OCCASIONS = 31  # key of the random numbers


@dataclass(frozen=True)
class Occasions:
    """One entry a text, by user and time."""

    user: Array  # index into the chunk's people
    time_ms: Array
    channel: Array  # index into `CHANNELS`
    score: Array  # 0 to 10, whether the channel tells it or not
    mood: Array  # index into `MOODS`
    topic: Array  # index into `TOPICS`
    second: Array  # what it is also about, or -1

    def __len__(self) -> int:
        return len(self.user)

    def take(self, at: Array) -> Occasions:
        """Some of them."""
        return Occasions(*(getattr(self, field.name)[at] for field in fields(self)))


def occasions_of(plan: Plan, life: Life) -> Occasions:
    """All texts of a chunk's users, up to the world's end."""
    people = life.people
    rng = plan.rng(OCCASIONS, int(people.user_id[0]))
    settings = plan.world.feedback
    level = rng.normal(0.0, 1.3, len(people))
    eager = settings.rate * rng.gamma(2.0, 0.5, len(people))
    eager[(people.ring >= 0) | np.isin(people.role, (BOT, SKIMMER))] = 0.0
    session = _sessions(rng, life, eager)
    user = life.sessions.user[session]
    delay = rng.exponential(_AFTER_HOURS * _HOUR_MS, len(session)).astype(np.int64)
    time = _ends(life)[session] + delay // 1000 * 1000
    since_days = (time - purchase_times(plan, life)[user]) / DAY_MS  # negative before the purchase
    memory = life.walk.after.take(session)
    adverts = np.where(since_days < 0, np.log1p(memory.adverts), 0.0)
    feeling = (
        7.4 + level[user] + (since_days >= 0) + 0.35 * (np.log1p(memory.likes) - 1) - 0.55 * (adverts - 1)
    )
    score = np.clip(np.rint(feeling + rng.normal(0.0, 1.5, len(user))), 0, 10).astype(np.int64)
    mood = np.where(score >= 9, 2, np.where(score <= 6, 0, 1))
    channel = np.searchsorted(np.cumsum(_SHARES), rng.random(len(user)), side="right")
    pull = np.clip(people.taste / people.patience, *_PULLS)[user] ** settings.taste
    weights = _weights(mood, adverts, since_days, pull, channel)
    topic, second = (_drawn(rng, weights) for _ in range(2))
    second[(rng.random(len(user)) >= _SECOND) | (second // 3 == topic // 3)] = -1
    order = np.lexsort((time, user))
    order = order[time[order] < plan.month_starts_ms()[-1]]
    return Occasions(user, time, channel, score, mood, topic, second).take(order)


def _sessions(rng: np.random.Generator, life: Life, eager: Array) -> Array:
    """For each text the session that it comes after."""
    sessions = life.sessions
    own = np.flatnonzero(~sessions.apart)
    months = int(sessions.month.max(initial=0)) + 1
    _, first, count = np.unique(
        sessions.user[own] * months + sessions.month[own], return_index=True, return_counts=True
    )
    texts = rng.poisson(eager[sessions.user[own[first]]])
    which = np.repeat(np.arange(len(first)), texts)
    result: Array = own[first[which] + np.floor(rng.random(len(which)) * count[which]).astype(np.int64)]
    return result


def _ends(life: Life) -> Array:
    plays = life.plays
    taken = plays.listened_ms + plays.advert * plays.advert_ms
    length = np.bincount(plays.session, weights=taken, minlength=len(life.sessions)).astype(np.int64)
    ends: Array = -(-(life.walk.start_ms + length) // 1000) * 1000
    return ends


def _weights(mood: Array, adverts: Array, since_days: Array, pull: Array, channel: Array) -> Array:
    """Texts × topics."""
    weights = _WEIGHTS.T[mood].copy()
    free = since_days < 0
    queue = np.array([queue for queue, _ in TOPICS])
    of = {topic: place for place, (_, topic) in enumerate(TOPICS)}
    weights[:, queue == "adverts"] *= np.where(free, adverts / 3, _LITTLE)[:, None]
    for name in ("price", "card"):
        weights[:, of[name]] *= np.where(free, pull, _LITTLE)
    faded = 0.1 + 1.2 * np.exp2(-np.maximum(since_days, 0) / 60)
    weights[:, of["refund"]] *= np.where(free, 0.05, faded)
    for number, name in enumerate(CHANNELS):
        for of_queue, factor in _BY_QUEUE[name].items():
            weights[np.ix_(channel == number, queue == of_queue)] *= factor
    return weights


def _drawn(rng: np.random.Generator, weights: Array) -> Array:
    total = np.cumsum(weights, axis=1)
    drawn: Array = (total <= rng.random(len(weights))[:, None] * total[:, -1:]).sum(axis=1)
    return drawn

"""Taste in a few numbers: how likely a user's next new track is by each artist.

A multinomial model: P(artist | user) ∝ exp(bias + user · artist), over what users played for the first time
(what comes back says little of taste). A user's vector has a normal prior around the sum of the vectors of
their favourite genres, so that newcomers have one too. Fitted by turns: users given artists by Newton's
method, then artists given users (each a Poisson regression, see Hoffman et al. 2013 on such factors); dense
matrix products throughout, of a sample of users and of the most played artists.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pozytywka_spark.feed.pairs import Array
from pozytywka_spark.hashing.dice import mix

FACTORS = 8
ROUNDS = 20
PRIOR, RIDGE, OF_GENRES = 1.0, 4.0, 2.0  # strengths of the priors of users, artists, genres
FLOOR = np.float32(-16.0)  # log chance of an artist that the model leaves out
_ROWS = 512
_SEED = 0x7A57


@dataclass(frozen=True)
class Sample:
    """Users × artists: tracks played for the first time; users × genres: 1 for a favourite."""

    firsts: sparse.csr_matrix
    favourites: sparse.csr_matrix

    def __add__(self, other: Sample) -> Sample:
        return Sample(
            sparse.vstack([self.firsts, other.firsts], format="csr"),
            sparse.vstack([self.favourites, other.favourites], format="csr"),
        )


def in_sample(user_id: Array, share: float) -> Array:
    """Of users whether tastes are fitted to what they play: about this share, whatever shard they are in."""
    thrown = mix(mix(np.full(1, _SEED, np.uint64)) ^ user_id.astype(np.int64).view(np.uint64))
    chosen: Array = (thrown >> np.uint64(11)) < share * 2.0**53
    return chosen


@dataclass(frozen=True)
class Tastes:
    """Of the `artist`s (sorted indices): vectors and biases; of all genres: vectors."""

    artist: Array
    vector: Array
    bias: Array
    genre: Array

    def log_chances(self, firsts: sparse.csr_matrix, favourites: sparse.csr_matrix) -> Array:
        """Users × the model's artists (float32): log of the chance that a new track is by that artist."""
        if not len(self.artist):
            return np.zeros((firsts.shape[0], 0), dtype=np.float32)
        counts = firsts[:, self.artist].toarray().astype(np.float32)
        prior = np.asarray(favourites @ self.genre, dtype=np.float32)
        user = prior
        for _ in range(4):
            user = _users_step(user, prior, counts, self.vector, self.bias)
        logits = user @ self.vector.T + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        chances: Array = np.maximum(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), FLOOR)
        return chances.astype(np.float32)


def fit(sample: Sample, most_artists: int = 2000) -> Tastes:
    """Of the artists with the most first plays; ties: the first."""
    total = np.asarray(sample.firsts.sum(axis=0)).ravel()
    genres = sample.favourites.shape[1]
    some = min(most_artists, int((total > 0).sum()))
    artist = np.sort(np.argsort(-total, kind="stable")[:some])
    factors = min(FACTORS, some - 2, sample.firsts.shape[0] - 2)
    if factors < 1:
        bias = np.log(np.maximum(total[artist], 1) / max(total.sum(), 1)).astype(np.float32)
        nothing = np.zeros((some, 1), dtype=np.float32)
        return Tastes(artist, nothing, bias, np.zeros((genres, 1), dtype=np.float32))
    firsts, favourites = sample.firsts[:, artist].astype(np.float32), sample.favourites.astype(np.float32)
    bias = np.log(total[artist] / total[artist].sum()).astype(np.float32)
    vector = _start(firsts, factors)
    user = np.zeros((firsts.shape[0], factors), dtype=np.float32)
    genre = np.zeros((genres, factors), dtype=np.float32)
    square = (favourites.T @ favourites).toarray() + OF_GENRES * np.eye(genres, dtype=np.float32)
    for _ in range(ROUNDS):
        prior = np.asarray(favourites @ genre)
        user, vector, bias = _round(firsts, user, prior, vector, bias)
        genre = np.linalg.solve(square, favourites.T @ user).astype(np.float32)
    return Tastes(artist, vector, bias, genre)


def _start(firsts: sparse.csr_matrix, factors: int) -> Array:
    """Leading directions of the users' normalised counts, but for the trivial one; of length 1 at most."""
    rows = np.sqrt(np.maximum(np.asarray(firsts.sum(axis=1)).ravel(), 1))
    columns = np.sqrt(np.maximum(np.asarray(firsts.sum(axis=0)).ravel(), 1))
    scaled = sparse.diags(1 / rows) @ firsts @ sparse.diags(1 / columns)
    v0 = np.ones(min(scaled.shape))  # stated, for the solver would draw one
    _, values, right = sparse.linalg.svds(scaled.astype(np.float64), k=factors + 1, v0=v0)
    right = right[np.argsort(-values, kind="stable")][1:]
    right *= np.sign(right[np.arange(factors), np.abs(right).argmax(axis=1)])[:, None]
    vector = right.T * np.sqrt(right.shape[1])
    length = np.maximum(1, np.linalg.norm(vector, axis=1, keepdims=True))
    start: Array = (vector / length).astype(np.float32)
    return start


def _round(
    firsts: sparse.csr_matrix, user: Array, prior: Array, vector: Array, bias: Array
) -> tuple[Array, Array, Array]:
    """Users by a step of Newton's, then artists by one, some users at a time."""
    artists, factors = vector.shape
    gradient = -RIDGE * vector
    curve = np.zeros((artists, factors * factors), dtype=np.float32)
    missed, weight = np.zeros(artists, dtype=np.float32), np.ones(artists, dtype=np.float32)
    moved = np.empty_like(user)
    for first in range(0, len(user), _ROWS):
        rows = slice(first, first + _ROWS)
        counts = firsts[rows].toarray()
        mine = _users_step(user[rows], prior[rows], counts, vector, bias)
        expected = counts.sum(axis=1, keepdims=True) * _softmax(mine @ vector.T + bias)
        left = counts - expected
        gradient += left.T @ mine
        curve += expected.T @ (mine[:, :, None] * mine[:, None, :]).reshape(len(mine), -1)
        missed += left.sum(axis=0)
        weight += expected.sum(axis=0)
        moved[rows] = mine
    square = curve.reshape(artists, factors, factors) + RIDGE * np.eye(factors, dtype=np.float32)
    step = _shortened(np.linalg.solve(square, gradient[:, :, None])[:, :, 0], 0.5)
    return moved, vector + 0.7 * step, bias + 0.7 * np.clip(missed / weight, -1, 1)


def _users_step(user: Array, prior: Array, counts: Array, vector: Array, bias: Array) -> Array:
    factors = vector.shape[1]
    plays = counts.sum(axis=1)
    chance = _softmax(user @ vector.T + bias)
    mean = chance @ vector
    gradient = counts @ vector - plays[:, None] * mean - PRIOR * (user - prior)
    squares = (vector[:, :, None] * vector[:, None, :]).reshape(len(vector), -1)
    spread = (chance @ squares).reshape(-1, factors, factors) - mean[:, :, None] * mean[:, None, :]
    curve = plays[:, None, None] * spread + PRIOR * np.eye(factors, dtype=np.float32)
    moved: Array = user + _shortened(np.linalg.solve(curve, gradient[:, :, None])[:, :, 0], 2.0)
    return moved


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    chance: Array = powers / powers.sum(axis=1, keepdims=True)
    return chance


def _shortened(step: Array, most: float) -> Array:
    length = np.linalg.norm(step, axis=1, keepdims=True)
    shorter: Array = step * np.minimum(1, most / np.maximum(length, 1e-9))
    return shorter.astype(np.float32)

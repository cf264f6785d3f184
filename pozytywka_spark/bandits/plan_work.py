"""`decide` for a frame of decisions at once: the same arms, the same probabilities.

Weights are laid out as a matrix of decisions by the policy's arms, 0 where an arm isn't eligible, and are
added from the first arm to the last as `decide` adds them: its sums to the last bit but for how a
processor's vector unit rounds an exponential.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import polars as pl

from pozytywka_spark.bandits.decide import BITS, EXPLORE, POLICY
from pozytywka_spark.bandits.policy import SOFTMAX, UNIFORM, Policy
from pozytywka_spark.errors import DataError

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]
CELLS_AT_ONCE = 4_000_000  # of the matrix: 32 MB each of weights, sums and probabilities


def with_decisions(policy: Policy, asked: pl.DataFrame) -> pl.DataFrame:
    """The rows with `chosen`, `probability`, `probabilities` (in the order of `eligible`) and `stream`.

    Of `asked`: user_id, group, eligible (names; null: all arms of the policy), days_since (of the eligible in
    their order, null inside: never shown, null as a whole: none was) and key. Raises `DataError` as `decide`.
    """
    policy = _with_arms(policy, asked)
    rows_at_once = max(1, CELLS_AT_ONCE // max(1, len(policy.arms)))
    parts = [_decided(policy, part) for part in asked.iter_slices(rows_at_once)] if asked.height else []
    empty = pl.DataFrame(schema=_DECIDED)
    return asked.hstack(pl.concat(parts, rechunk=False) if parts else empty)


def with_probabilities(policy: Policy, asked: pl.DataFrame) -> pl.DataFrame:
    """The rows with `probabilities`, which are those of `decide.probabilities`, in the order of `eligible`.

    Of `asked`: group, eligible, days_since, as above. Raises `DataError` as `decide`.
    """
    policy = _with_arms(policy, asked)
    rows_at_once = max(1, CELLS_AT_ONCE // max(1, len(policy.arms)))
    parts = [_weighed(policy, part).probabilities() for part in asked.iter_slices(rows_at_once)]
    none = pl.Series([], dtype=_DECIDED["probabilities"])
    return asked.with_columns(probabilities=pl.concat(parts) if asked.height else none)


_DECIDED = pl.Schema(
    {
        "chosen": pl.String(),
        "probability": pl.Float64(),
        "probabilities": pl.List(pl.Float64()),
        "stream": pl.String(),
    }
)


@dataclass(frozen=True)
class _Weighed:
    """Decisions by arms, in the policy's order. `rows`, `places`, `offsets`: the lists of eligible arms."""

    eligible: Truths
    weights: Floats
    so_far: Floats  # sums of weights up to each arm
    mixture: Floats
    rows: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    def probabilities(self) -> pl.Series:
        """Of each decision in the order of its eligible arms."""
        flat = pl.Series(self.mixture[self.rows, self.places])
        return _as_lists(flat, self.offsets)


def _with_arms(policy: Policy, asked: pl.DataFrame) -> Policy:
    """A uniform policy of no arms in particular gets those that are asked for."""
    if policy.arms:
        return policy
    arms = asked.get_column("eligible").explode().drop_nulls().unique().sort().to_list()
    return replace(policy, arms=tuple(arms), places={arm: place for place, arm in enumerate(arms)})


def _decided(policy: Policy, asked: pl.DataFrame) -> pl.DataFrame:
    weighed = _weighed(policy, asked)
    which_stream, which_arm = _draws(policy, asked.get_column("user_id"), asked.get_column("key"))
    explores = which_stream < policy.explore
    below = which_arm * weighed.so_far[:, -1]
    by_weight = np.argmax(weighed.so_far > below[:, None], axis=1)
    count = weighed.eligible.sum(axis=1)
    nth = (which_arm * count).astype(np.int64)
    uniform = np.argmax(np.cumsum(weighed.eligible, axis=1) > nth[:, None], axis=1)
    place = np.where(explores, uniform, by_weight)
    rows = np.arange(asked.height)
    return pl.DataFrame(
        {
            "chosen": pl.Series(policy.arms, dtype=pl.String).gather(place),
            "probability": weighed.mixture[rows, place],
            "probabilities": weighed.probabilities(),
            "stream": pl.Series([POLICY, EXPLORE]).gather(explores.astype(np.uint32)),
        },
        schema=_DECIDED,
    )


def _weighed(policy: Policy, asked: pl.DataFrame) -> _Weighed:
    rows, places, offsets = _eligible_places(policy, asked)
    shape = (asked.height, len(policy.arms))
    eligible = np.zeros(shape, np.bool_)
    eligible[rows, places] = True
    if int(eligible.sum()) != len(rows):
        raise DataError(f"slot {policy.slot or '-'}: an arm is eligible twice; expected each once")
    weights = _weights(policy, asked, eligible, rows, places)
    # a column at a time: the order in which `decide` adds; ufunc.accumulate along rows is the same, slower
    so_far = np.empty_like(weights)
    running = np.zeros(asked.height)
    for place in range(shape[1]):
        running = running + weights[:, place]
        so_far[:, place] = running
    uniform = policy.explore / eligible.sum(axis=1)
    mixture = uniform[:, None] + (1.0 - policy.explore) * (weights / running[:, None])
    return _Weighed(eligible, weights, so_far, mixture, rows, places, offsets)


def _eligible_places(
    policy: Policy, asked: pl.DataFrame
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of each eligible arm its decision and its place in the policy; and where each decision's begin."""
    names = pl.Series(policy.arms, dtype=pl.String)
    lists = asked.select(
        pl.col("eligible").fill_null(pl.lit(list(policy.arms), pl.List(pl.String)))
    ).to_series()
    lengths = lists.list.len().to_numpy().astype(np.int64)
    if not lengths.all():
        raise DataError(f"slot {policy.slot or '-'}: no arm is eligible; expected one at least")
    flat = lists.explode()
    places = flat.replace_strict(names, np.arange(len(names)), default=None, return_dtype=pl.Int64)
    if places.null_count():
        unknown = flat.filter(places.is_null())[0]
        raise DataError(
            f"slot {policy.slot or '-'}: the policy doesn't know the arm {unknown!r}; "
            f"expected some of {', '.join(policy.arms[:20])}"
        )
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return np.repeat(np.arange(asked.height), lengths), places.to_numpy(), offsets


def _weights(
    policy: Policy,
    asked: pl.DataFrame,
    eligible: Truths,
    rows: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
) -> Floats:
    if policy.kind == UNIFORM:
        return eligible.astype(np.float64)
    values = _values(policy, asked.get_column("group"))
    if policy.kind != SOFTMAX:
        masses = np.where(eligible, values, 0.0)
        masses[~masses.any(axis=1)] = 1.0
        return np.where(eligible, masses, 0.0)
    exponents = values
    if policy.gamma:
        _weaken(policy, exponents, asked.get_column("days_since"), rows, places)
    exponents[~eligible] = -np.inf
    highest = exponents.max(axis=1)
    weights: Floats = np.exp((exponents - highest[:, None]) / policy.temperature)
    return weights


def _weaken(
    policy: Policy,
    exponents: Floats,
    since: pl.Series,
    rows: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
) -> None:
    """Lower the scores of arms that users were shown before."""
    lengths = np.bincount(rows, minlength=len(since))
    as_long = since.list.len().fill_null(pl.Series(lengths)).to_numpy() == lengths
    if not as_long.all():
        raise DataError("days_since has another length than eligible; expected a number or null an arm")
    flat = since.drop_nulls().explode().cast(pl.Float64)
    shown = flat.is_not_null().to_numpy()
    days = flat.drop_nulls().to_numpy()
    if not (days >= 0.0).all():
        raise DataError(f"{days.min()} days since an arm was shown; expected 0 or more, or null")
    given = since.is_not_null().to_numpy()[rows]
    row, place = rows[given][shown], places[given][shown]
    exponents[row, place] -= policy.gamma * 0.5 ** (days / policy.half_life_days)


def _values(policy: Policy, groups: pl.Series) -> Floats:
    """Scores or probabilities of each decision's group, by arm."""
    distinct = groups.unique()
    table: Floats = np.array([[policy.of_group(group)[arm] for arm in policy.arms] for group in distinct])
    rows = groups.to_frame("group").join(
        pl.DataFrame({"group": distinct, "at": np.arange(len(distinct))}),
        on="group",
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    values: Floats = table[rows.get_column("at").to_numpy()]
    return values


def _draws(policy: Policy, users: pl.Series, keys: pl.Series) -> tuple[Floats, Floats]:
    """Two numbers from 0 to below 1 of each user and key."""
    head = sha256(f"{policy.salt}\n{policy.slot}\n".encode())
    digests = bytearray()
    for user, key in zip(users.to_list(), keys.to_list(), strict=True):
        hashed = head.copy()
        hashed.update(f"{user}\n{key}".encode())
        digests += hashed.digest()[:16]
    words = np.frombuffer(bytes(digests), ">u8").astype(np.uint64).reshape(-1, 2) >> np.uint64(64 - BITS)
    fractions = words.astype(np.float64) / 2.0**BITS
    return fractions[:, 0], fractions[:, 1]


def _as_lists(flat: pl.Series, offsets: npt.NDArray[np.int64]) -> pl.Series:
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return (
        pl.DataFrame({"row": rows, "value": flat})
        .group_by("row", maintain_order=True)
        .agg("value")
        .get_column("value")
    )

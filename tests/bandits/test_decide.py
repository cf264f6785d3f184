"""What plain Python decides: probabilities by a brute-force oracle, draws by their stated hash."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal, localcontext
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.bandits.decide import decide, load_policy, probabilities
from pozytywka_spark.bandits.policy import parse_policy, policy_text
from pozytywka_spark.errors import DataError
from tests.bandits.made import ARMS, policies, softmax_document

DAYS = st.none() | st.floats(0, 400)


def oracle(
    scores: list[float], days: list[float | None], gamma: str, half_life: str, tau: str
) -> list[Decimal]:
    """The softmax in 50 digits, and the share of 0.05 that is uniform."""
    with localcontext(prec=50):
        weights = []
        for score, since in zip(scores, days, strict=True):
            penalty = (
                Decimal(gamma) * Decimal("0.5") ** (Decimal(since) / Decimal(half_life))
                if since is not None
                else Decimal(0)
            )
            weights.append(((Decimal(score) - penalty) / Decimal(tau)).exp())
        return [
            Decimal("0.05") / len(weights) + Decimal("0.95") * weight / sum(weights) for weight in weights
        ]


@pytest.mark.thorough
@given(
    st.lists(st.sampled_from(ARMS), min_size=1, unique=True),
    st.dictionaries(st.sampled_from(ARMS), DAYS),
    st.sampled_from(["warsaw", "gdansk", None]),
)
def test_probabilities_are_those_of_a_brute_force_oracle(eligible, days_since, group):
    document = softmax_document()
    found = probabilities(parse_policy(document), group=group, eligible=eligible, days_since=days_since)
    scores = [document["scores"][arm]["warsaw" if group == "warsaw" else ""] for arm in eligible]
    expected = oracle(scores, [days_since.get(arm) for arm in eligible], "0.017", "15", "0.0025")
    assert list(found) == eligible
    assert all(
        abs(Decimal(found[arm]) - p) < Decimal("1e-12") for arm, p in zip(eligible, expected, strict=True)
    )


@pytest.mark.parametrize("kind", policies())
def test_each_kind_draws_as_often_as_it_says(kind):
    policy = policies()[kind]
    eligible = ["offline", "trial", "none"]
    days = {"trial": 0.5, "offline": 40.0}
    expected = probabilities(policy, group="warsaw", eligible=eligible, days_since=days)
    assert sum(expected.values()) == pytest.approx(1, abs=1e-12)
    drawn = Counter()
    for user in range(5_000):
        decision = decide(
            policy, user_id=user, group="warsaw", eligible=eligible, days_since=days, key="2023-05-01"
        )
        assert decision.probabilities == expected
        assert decision.probability == expected[decision.arm]
        drawn[decision.arm] += 1
    for arm, probability in expected.items():
        deviation = (5_000 * probability * (1 - probability)) ** 0.5
        assert abs(drawn[arm] - 5_000 * probability) <= 4 * deviation


def test_draws_are_those_of_the_stated_hash():
    policy = parse_policy(softmax_document(explore=0.5))
    for user in range(200):
        digest = sha256(f"salt\npremium_prompt\n{user}\nkey".encode()).digest()
        which_stream, which_arm = (
            int.from_bytes(digest[at : at + 8], "big") // 2**11 / 2**53 for at in (0, 8)
        )
        decision = decide(policy, user_id=user, group=None, eligible=ARMS, days_since={}, key="key")
        assert decision.stream == ("explore" if which_stream < 0.5 else "policy")
        if decision.stream == "explore":
            assert decision.arm == ARMS[int(4 * which_arm)]


def test_the_order_of_the_eligible_changes_no_draw():
    for policy in policies().values():
        for user in range(100):
            asked = {"user_id": user, "group": "gdansk", "days_since": {"none": 3.0}, "key": "k"}
            one = decide(policy, eligible=ARMS, **asked)
            other = decide(policy, eligible=ARMS[::-1], **asked)
            assert (one.arm, one.stream, one.probabilities) == (other.arm, other.stream, other.probabilities)


def test_a_table_whose_eligible_arms_have_no_mass_draws_uniformly():
    fixed = policies()["fixed"]
    assert probabilities(fixed, group="", eligible=["none", "offline"]) == {"none": 0.5, "offline": 0.5}
    assert probabilities(fixed, group="warsaw", eligible=["none", "trial"]) == {"none": 1.0, "trial": 0.0}


def test_all_arms_are_eligible_where_none_are_given():
    softmax = policies()["softmax"]
    assert probabilities(softmax, group="") == probabilities(softmax, group="", eligible=ARMS)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"eligible": []}, "no arm is eligible"),
        ({"eligible": ["trial", "video"]}, "doesn't know the arm 'video'"),
        ({"eligible": ["trial", "trial"]}, "eligible twice"),
        ({"eligible": ARMS, "days_since": {"trial": -0.1}}, "-0.1 days"),
        ({"eligible": ARMS, "days_since": {"trial": float("nan")}}, "nan days"),
    ],
)
def test_what_cannot_be_decided_is_refused(asked, message):
    with pytest.raises(DataError, match=message):
        decide(policies()["softmax"], user_id=1, group="warsaw", key="k", **asked)


def test_a_policy_comes_back_from_its_file(tmp_path: Path):
    path = tmp_path / "policy.json"
    path.write_text(policy_text(softmax_document()))
    assert load_policy(path) == parse_policy(softmax_document())
    assert json.loads(path.read_text()) == softmax_document()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": 2}, "format"),
        ({"kind": "thompson"}, "kind"),
        ({"arms": ["trial"]}, "arms"),
        ({"arms": [*ARMS, "trial"]}, "arms"),
        ({"scores": {}}, "scores"),
        ({"scores": {"trial": {"warsaw": 1.0}}}, "scores"),
        ({"scores": {"trial": {"": "high"}}}, "scores.trial"),
        ({"scores": {"trial": {"": float("nan")}}}, "scores.trial"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": None}, "temperature"),
        ({"explore": 1.5}, "explore"),
        ({"recency": {"gamma": -1, "half_life_days": 15}}, "gamma"),
        ({"recency": {"gamma": 0.1, "half_life_days": 0}}, "half_life_days"),
        ({"recency": 3}, "recency"),
        ({"salt": "a\nb"}, "salt"),
        ({"slot": 3}, "slot"),
        ({"trained_days": ["2023-05-01"]}, "trained_days"),
        ({"rules": {"video": []}}, "rules"),
        ({"rules": []}, "rules"),
        ({"kind": "seasonal", "table": {"warsaw": {"trial": 1}}}, "table"),
        ({"kind": "fixed", "probabilities": {"": {"trial": 0.5}}}, "add up to 1"),
        ({"kind": "fixed", "probabilities": {"": {"trial": 1.5, "none": -0.5}}}, "0 or more"),
    ],
)
def test_a_document_that_is_no_policy_is_refused_by_name(changed, message):
    with pytest.raises(DataError, match=message):
        parse_policy(softmax_document(**changed))


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_a_file_that_is_no_policy_is_refused_by_name(tmp_path: Path, text):
    path = tmp_path / "policy.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=r"policy\.json"):
        load_policy(path)


def test_a_fixed_policy_without_a_group_refuses_it_by_name():
    policy = parse_policy({"kind": "fixed", "probabilities": {"warsaw": {"trial": 1}}})
    with pytest.raises(DataError, match="'gdansk'"):
        probabilities(policy, group="gdansk")

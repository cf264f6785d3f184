"""Guard 6 and the names of 4, each tripped by what it is for and passed by what it isn't."""

from __future__ import annotations

import pytest

from pozytywka_spark.errors import GuardError
from pozytywka_spark.features.declared.catalogue import CATALOGUE, feature_order
from pozytywka_spark.features.guards.feature_names import check_hash, check_names, check_order


@pytest.mark.parametrize(
    "name",
    ["premium_user", "buys_within_30_days", "buys_ever", "purchased_at", "label", "horizon_end", "cut_off"],
)
def test_targets_and_their_aliases_are_no_features(name: str) -> None:
    with pytest.raises(GuardError, match=f"guard names: feature {name} "):
        check_names(["plays", name])


def test_the_catalogue_has_no_target() -> None:
    assert check_names(feature_order()).checked == f"{len(CATALOGUE)} feature names"


def test_order_and_hash() -> None:
    assert check_order(["a", "b"], ["a", "b"]).guard == "order"
    with pytest.raises(GuardError, match="guard order: feature 2 is c, the model was trained with b there"):
        check_order(["a", "b"], ["a", "c"])
    with pytest.raises(GuardError, match="feature 2 is nothing, the model was trained with b"):
        check_order(["a", "b"], ["a"])
    with pytest.raises(GuardError, match="the catalogue's hash is ffff"):
        check_hash("0" * 64, "f" * 64)

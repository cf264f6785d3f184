"""Names of what decides a piece of work: those that lie in tables and in MLflow must stay what they are."""

from __future__ import annotations

from datetime import date

from pozytywka_spark.hashing.fingerprints import LONG, fingerprint_of

# as `printf '%s' '[1, "a", null]' | sha256sum` says
KNOWN = "b9d7fba5cc7137e777464343b98efea7"


def test_a_fingerprint_is_what_any_other_tool_makes_of_the_json() -> None:
    assert fingerprint_of([1, "a", None]) == KNOWN
    assert fingerprint_of([1, "a", None], LONG).startswith(KNOWN)
    assert fingerprint_of([1, "a", None], 8) == KNOWN[:8]


def test_keys_count_in_order_unless_they_are_sorted() -> None:
    one, other = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert fingerprint_of(one) != fingerprint_of(other)
    assert fingerprint_of(one, sort_keys=True) == fingerprint_of(other, sort_keys=True)


def test_what_json_has_no_word_for_is_spelt_by_the_caller() -> None:
    assert fingerprint_of([date(2023, 1, 1)], default=str) == fingerprint_of(["2023-01-01"])

"""The models that every training has, by the names that tables, runs and settings know them by."""

from __future__ import annotations

from collections.abc import Mapping

XGBOOST, LOGISTIC = "xgboost", "logistic"
MAJORITY = "majority"  # no model that serves: everybody has the same probability
MODELS = (MAJORITY, LOGISTIC, XGBOOST)
IN_WORDS: Mapping[str, str] = {XGBOOST: "boosted trees", LOGISTIC: "logistic regression"}

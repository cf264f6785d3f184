"""A feature that leaks on purpose: whoever adds it to a build must see the guards stop it."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.declared.listening import plays
from pozytywka_spark.features.declared.values import Formula


def _next_months_plays() -> pl.Expr:
    return plays.column().shift(-1).over("user_id", order_by="month")


CANARY = Feature(
    name="canary",
    meaning="plays of the user's next month: a leak, for guards to find",
    unit="events",
    kind="count",
    null="null: no later month",
    value=Formula(
        arithmetic="plays of the user's next row", measures=(plays,), expression=_next_months_plays
    ),
)

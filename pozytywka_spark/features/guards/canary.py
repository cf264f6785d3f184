"""A feature that leaks on purpose: whoever adds it to a build must see the guards stop it."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.features.declared.analysts import PLAYS
from pozytywka_spark.features.declared.declaration import Feature


def _next_months_plays() -> pl.Expr:
    return PLAYS.column().shift(-1).over("user_id", order_by="month")


CANARY = Feature(
    "canary",
    "plays of the user's next month: a leak, for guards to find",
    "events",
    "count",
    "null: no later month",
    "events",
    (PLAYS,),
    _next_months_plays,
    arithmetic="plays of the user's next row",
)

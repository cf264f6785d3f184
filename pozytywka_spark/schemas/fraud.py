"""Tables of fraud: what accounts did by the day, rings of them, and the cases that rules open."""

from __future__ import annotations

from collections.abc import Sequence

from pozytywka_spark.schemas.table import Table, table


def signals_table(names: Sequence[str]) -> Table:
    """Grain: account and UTC day with at least one event; `names` are the signals, one double each."""
    columns = ", ".join(f"{name} double" for name in names)
    return table(
        "signals",
        f"user_id bigint, day date, {columns}, month date, user_bucket int",
        keys=["user_id", "day"],
        partition_by=["month", "user_bucket"],
        sorted_by=["user_id", "day"],
    )


# grain: month, ring and account: `month` is the last of the 60 days that were looked at, `ring` the smallest
# account of it with the month, `score` how far the account's plays of the ring's tracks exceed what
# popularity explains, `tracks` those tracks
RINGS = table(
    "rings",
    "month date, ring string, user_id bigint, score double, tracks array<string>",
    keys=["month", "ring", "user_id"],
    partition_by=["month"],
)

# grain: case. An account and day is one case of a group, a ring and month is one; `cut_off` is the first
# instant whose events the case can't know (the day's end, the month's end for a ring), `harm` the plays that
# weren't genuine, at most. `rules` are the names of the rules that hold, `ring` its ring
CASES = table(
    "cases",
    "case_id string, group string, accounts array<bigint>, day date, cut_off timestamp, opened_at timestamp, "
    "rules array<string>, ring string, harm double, month date",
    keys=["case_id"],
    partition_by=["month"],
)

# grain: month scanned; `inputs` names what it was scanned from (rules, versions of the months' files)
FRAUD_SCANS = table(
    "fraud_scans",
    "month date, inputs string, signals bigint, rings bigint, cases bigint, scan_id string",
    keys=["month"],
)

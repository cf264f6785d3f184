"""Tables of moderation: what people and models said of cases, what followed, and how it was taken back."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

# grain: answer of a reviewer to a case. `source`: person, chargeback; and what moderation itself adds:
# silence (reviewer `silence`), and appeal, which says that the only account of a case was cleared
VERDICTS = table(
    "verdicts",
    "case_id string, reviewer string, verdict string, decided_at timestamp, source string",
    keys=["case_id", "reviewer", "source"],
)

# grain: answer that couldn't be taken yet, or never (`reason`); those of unknown cases are tried again
VERDICTS_ASIDE = table(
    "verdicts_aside",
    "case_id string, reviewer string, verdict string, decided_at timestamp, source string, reason string",
    keys=["case_id", "reviewer", "verdict", "decided_at", "reason"],
)

# grain: case that is asked (again): who asked and since when counts; `looks` is how many verdicts are wanted
# in all; `asked_for`: build (its tests) or watch (fresh cases and audits of its sides), null in rows of
# earlier releases, all of builds. Written by the factory, read by the queue, which never tells why
SECOND_LOOKS = table(
    "second_looks",
    "case_id string, requested_at timestamp, looks int, build_id string, asked_for string",
    keys=["case_id", "build_id"],
)

# grain: case and instant at which it was released as bad or ok, the latest up to a time holds then. `cause`:
# person, chargeback, silence, model. `month`: that of `released_at`, as of `recorded_at` in the two below
RELEASES = table(
    "releases",
    "case_id string, group string, verdict string, cause string, released_at timestamp, month date",
    keys=["case_id", "released_at"],
    partition_by=["month"],
)

# grain: foul, an account's part in a case that was released as bad. `cause`: person or model; `step` is null
# where the foul belongs to an earlier one (`belongs_to`), else 1, 2, … of the ladder. Append-only: a later
# `recorded_at` of the same case and account replaces the earlier one for whoever asks about later times;
# `cancelled` once an appeal was upheld, or second looks turned the case ok
FOULS = table(
    "fouls",
    "user_id bigint, case_id string, group string, day date, released_at timestamp, cause string, step int, "
    "belongs_to string, cancelled boolean, recorded_at timestamp, month date",
    keys=["user_id", "case_id", "recorded_at"],
    partition_by=["month"],
)

# grain: block of an account by a stepped foul, half-open. Append-only as `fouls`: the latest `recorded_at` of
# account and case holds; a block that was taken back ends when that was recorded. A warning has none
BLOCKS = table(
    "blocks",
    "user_id bigint, case_id string, starts_at timestamp, ends_at timestamp, step int, "
    "recorded_at timestamp, month date",
    keys=["user_id", "case_id", "recorded_at"],
    partition_by=["month"],
)

# grain: appeal against a foul: `verdict` upheld, rejected; null while nobody judged it. `recorded_at` and
# `acted_at`: since when the appeal and its judgement count as known, after whatever was settled before
APPEALS = table(
    "appeals",
    "user_id bigint, case_id string, appealed_at timestamp, reviewer string, verdict string, "
    "decided_at timestamp, recorded_at timestamp, acted_at timestamp",
    keys=["user_id", "case_id", "appealed_at"],
)

# grain: track and month: plays by accounts on days released as bad, which no popularity should count; of a
# ring their plays of its tracks in the month
DISCOUNTED_PLAYS = table(
    "discounted_plays",
    "track_id string, month date, plays bigint",
    keys=["track_id", "month"],
    partition_by=["month"],
)

# grain: run that was finished, written last: all up to and with `until` is settled for good. `discounted` is
# JSON: by month what its discounted plays were counted from
MODERATION_RUNS = table(
    "moderation_runs",
    "until timestamp, releases bigint, fouls bigint, blocks bigint, cancelled bigint, discounted string",
    keys=["until"],
)

"""Parcels of an ingest, rows on their way between its passes: kinds, grains and columns, declared once."""

from __future__ import annotations

import polars as pl

from pozytywka_spark.hashing.event_texts import KIND
from pozytywka_spark.schemas import Table

# Kinds of parcels
COMPLETE = "complete"  # events that lack nothing; key (month as YYYY-MM-DD, user_bucket)
INCOMPLETE = "incomplete"  # events that pass all rules, but lack a user, a type or a track; key ()
REJECTED = "rejected"  # rows of any entity that break a rule, or stayed incomplete; key ()
LOST = "lost"  # what rejected rows tell of where a row is missing; key ()
ROWS = "rows"  # of a catalogue entity, rows that pass; key ()
SESSION = "session"  # complete rows brought together by session; key (number of the slice,)
NEEDY = "needy"  # incomplete ones; key (number of the slice,)
RESCUED = "rescued"  # fields of new rows that the contract doesn't know; key ()
NAMES = "names"  # words of users' names and streets, hashed; key ()
NEW_NAMES = "new_names"  # those of them that the lake didn't hold; key ()
LEFT = "left"  # rows that left quarantine, of a replay; key ()

Columns = dict[str, pl.DataType | type[pl.DataType]]

_TIME = pl.Datetime("us", "UTC")

EVENT: Columns = {
    "event_time": _TIME,
    "event_type": pl.String,
    "user_id": pl.Int64,
    "session_id": pl.Int64,
    "track_id": pl.String,
}

# The same where nothing is lacking: types go as codes, by the order of their names
SOUND_EVENT: Columns = {**EVENT, "event_type": KIND}

# Where a row comes from: place of its file in the batch's list of files, offset of the line in the file
SOURCE: Columns = {"source": pl.Int32, "source_order": pl.Int64}

# grain: event; `rescued`: the JSON of fields that the contract doesn't know; `line_id`: of replayed rows only
COMPLETE_ROWS = pl.Schema(
    {**SOUND_EVENT, "repair_reason": pl.String, "rescued": pl.String, "line_id": pl.String, **SOURCE}
)

# What becomes of a row that may end in quarantine (see rules.verdict.Verdict)
FATE: Columns = {
    "line_id": pl.String,
    "reason": pl.String,
    "rule": pl.String,
    "raw": pl.String,
    "rescued": pl.String,
    "time_unit": pl.String,
}

# grain: event that lacks something; `no_track`: its track was given, as none
INCOMPLETE_ROWS = pl.Schema({**EVENT, "no_track": pl.Boolean, **FATE, **SOURCE})

# grain: complete event of the batch or of the table; `filled`: what was filled in before, by its session
# (1 the user, 2 the type, 4 the track, added up); `source` is null of rows of the table
SESSION_ROWS = pl.Schema({**EVENT, "filled": pl.Int8, "source": pl.Int32})

# grain: incomplete event of the batch
NEEDY_ROWS = INCOMPLETE_ROWS

# grain: rejected row
REJECTED_ROWS = pl.Schema({**FATE, **SOURCE})

# grain: a row that was lost; exactly one of the three is given (see losses.py); `lost_file` is a plain path
_LOST: Columns = {"lost_session": pl.Int64, "lost_time": _TIME, "lost_file": pl.String}
LOST_ROWS = pl.Schema(_LOST)

_TYPES: Columns = {
    "string": pl.String,
    "bigint": pl.Int64,
    "int": pl.Int32,
    "double": pl.Float64,
    "boolean": pl.Boolean,
    "timestamp": _TIME,
    "date": pl.Date,
    "array<string>": pl.List(pl.String),
}


def catalogue_rows(table: Table) -> pl.Schema:
    """Of `ROWS`, grain: row that passes, of a catalogue entity; the columns of its table, and its place.

    `rescued` and `line_id` as of `COMPLETE_ROWS`.
    """
    columns: Columns = {field.name: _TYPES[field.dataType.simpleString()] for field in table.schema}
    return pl.Schema({**columns, "rescued": pl.String, "line_id": pl.String, **SOURCE})


# grain: new row with such fields; `key` names the row as the table `rescued` does
RESCUED_ROWS = pl.Schema({"key": pl.String, "rescued": pl.String, "source": pl.Int32})

# grain: user and word; see `masking.name_words`
NAMES_ROWS = pl.Schema({"user_id": pl.Int64, "word": pl.Binary})

# grain: row that left quarantine
LEFT_ROWS = pl.Schema({"line_id": pl.String})

"""Events of which nothing is odd, told and read in one go, without a JSON parser.

Nearly all lines of nearly all deliveries have one form: exactly the contract's fields in the contract's
order, as Python or any plain writer puts them down, with values that no rule has anything to say about.
Such a row is sound; what a JSON parser would make of it stands between its quotes. Any other line is
doubtful and goes the long way (`long_way`, `rules`). So whether a line is found sound decides how fast it
is read, never what becomes of it.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pozytywka_spark import schemas
from pozytywka_spark.ingest.lines import SOURCE
from pozytywka_spark.ingest.rules.sessions import EMPTY_TRACK
from pozytywka_spark.ingest.rules.verdict import Judging

# The provisional reason of a line that has to go the long way.
DOUBTFUL = "doubtful"

_PLACE = tuple(name for name in SOURCE if name != "line_id")

# Each value is bounded, so that a line of 50 MB is given up at once. Eighteen digits always fit into a long,
# and a leading zero is no JSON; text with anything but printable ASCII, or with an escape, is a parser's.
_NUMBER = "(?:0|[1-9][0-9]{0,17}+)"
_TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?"
# Neither what stands for none nor blanks around: those are the rules'
_TRACK = r"(?!-1\"|(?i:null|none|nan)\"| )[ !#-\[\]-~]{1,100}+(?<! )"
_WITH_TRACK = "|".join((schemas.PLAY, schemas.SKIP, schemas.LIKE))
_WITHOUT = "|".join((schemas.ADVERTISEMENT, schemas.BUY_PREMIUM))
_FIELDS = (
    rf'"timestamp": ?"{_TIME}"',
    rf'"user_id": ?{_NUMBER}',
    rf'"track_id": ?"(?:{_TRACK}", ?"event_type": ?"(?:{_WITH_TRACK})|", ?"event_type": ?"(?:{_WITHOUT}))"',
    rf'"session_id": ?{_NUMBER}',
)
# \z: a $ would let a line separator pass
FORM = r"^\{" + ", ?".join(_FIELDS) + r"\}\z"


def look_first(lines: DataFrame, judging: Judging) -> DataFrame:
    """Silver columns of each line of sessions, and `doubtful`: its text unless it is sound.

    Nothing is here that sound rows have in common (see `as_judged`), for all rows are stored. Spark makes
    one loop of it, so long as it needs nothing that no code can be generated for, such as a lambda.
    """
    in_form = (F.octet_length("value") <= judging.max_line_bytes) & F.rlike("value", F.lit(FORM))
    cut = lines.select("*", F.when(in_form, F.split("value", F.lit('"'))).alias("pieces"))
    # each text stands between the quotes behind its name's, each number behind its name's closing one
    piece = F.col("pieces")
    read = cut.select(
        *_PLACE,
        piece[3].try_cast("timestamp").alias("event_time"),
        piece[13].alias("event_type"),
        _number(piece[6]).alias("user_id"),
        _number(piece[16]).alias("session_id"),
        F.nullif(piece[9], F.lit("")).alias("track_id"),
        "value",
        "time_unit",
    )
    time = F.col("event_time")
    doubt = time.isNull()  # in form, but no such day or hour, is null as well
    if judging.latest_micros is not None:
        doubt = doubt | (time > F.timestamp_micros(F.lit(judging.latest_micros).cast("bigint")))
    known = [name for name in read.columns if name not in ("value", "time_unit")]
    return read.select(
        *known,
        F.when(doubt, F.col("value")).alias("doubtful"),
        F.when(doubt, F.col("time_unit")).alias("time_unit"),
    )


def _number(piece: Column) -> Column:
    """A number with the colon before it and the comma or brace behind it."""
    return F.btrim(piece, F.lit(":, }")).cast("bigint")


def as_judged(seen: DataFrame) -> DataFrame:
    """All rows of `look_first` as `long_way.judge` has them, the doubtful ones with a provisional reason."""
    nothing = {name: F.lit(None).cast("string") for name in ("line_id", "raw", "rule", "rescued")}
    trackless = F.col("track_id").isNull()
    return seen.withColumns(
        {
            **nothing,
            "reason": F.when(F.col("doubtful").isNotNull(), F.lit(DOUBTFUL)),
            "no_track": trackless,
            "notes": F.when(F.col("doubtful").isNull() & trackless, F.array(F.lit(EMPTY_TRACK))),
            "absent": F.lit(None).cast("array<string>"),
        }
    ).drop("doubtful")


def sound_rows(seen: DataFrame) -> DataFrame:
    """The sound rows of `look_first`, as `long_way.judge` would give them."""
    sound = as_judged(seen.where(F.col("doubtful").isNull()))
    # as a literal: whoever asks for rejected rows is then known to find none here
    return sound.withColumns({"reason": F.lit(None).cast("string")})


def doubtful_lines(seen: DataFrame) -> DataFrame:
    """The other lines of `look_first`, as `as_lines` gave them."""
    lines = seen.where(F.col("doubtful").isNotNull())
    return lines.select(
        F.col("doubtful").alias("value"),
        F.lit(None).cast("string").alias("line_id"),
        *_PLACE,
        "time_unit",
    )

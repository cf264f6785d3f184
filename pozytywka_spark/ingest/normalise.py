"""From raw fields to silver columns, and the rules that a row must keep; declared once, per entity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark import schemas
from pozytywka_spark.ingest.contracts import ARTISTS, SESSIONS, TRACK_STORAGE, TRACKS, USERS, Contract
from pozytywka_spark.ingest.lines import SOURCE, line_id
from pozytywka_spark.ingest.privacy import kept_text, masked_values

SPELLINGS = {"ADVERTISMENT": schemas.ADVERTISEMENT}
STORAGE_CLASSES = ("SLOW", "MEDIUM", "FAST")
EARLIEST, LATEST = "2000-01-01", "2100-01-01"
EMPTY_TRACK = "empty track_id"


@dataclass(frozen=True)
class Rule:
    """A row for which `broken` is true goes to quarantine under `code`."""

    code: str
    text: str
    broken: Column


@dataclass(frozen=True)
class Meaning:
    """What an entity's fields mean: silver columns of the raw `row`, and the rules over both, by name."""

    columns: dict[str, Column]
    rules: tuple[Rule, ...]


def judge(parsed: DataFrame, contract: Contract, *, keep_text: bool = False) -> DataFrame:
    """Silver columns of each parsed line, with `reason` (null: passes), `rule`, `raw` and `rescued`.

    `raw` and `line_id` are there only for rows that may end in quarantine, unless `keep_text`, so that
    clean rows carry neither along. Each layer below names what the next one uses several times, and
    what only odd rows need is asked of them alone.
    Of events, `event_id` and the repair columns come later (see `repair`).
    """
    meaning = meaning_of(contract)
    remarks = _remarks(contract)
    seen = parsed.select(
        *parsed.columns,
        *(column.alias(name) for name, column in meaning.columns.items()),
        F.coalesce(reduce(Column.__or__, remarks.values()) | F.col("doubt"), F.lit(True)).alias("notable"),
    )
    reason = F.coalesce("fault", *(F.when(rule.broken, F.lit(rule.code)) for rule in meaning.rules))
    judged = seen.select(*seen.columns, reason.alias("reason"))
    rule = F.coalesce("fault_rule", *(F.when(rule.broken, F.lit(rule.text)) for rule in meaning.rules))
    incomplete = is_incomplete() if contract is SESSIONS else F.lit(False)
    doubtful = F.col("reason").isNotNull() | incomplete | F.lit(keep_text)
    return judged.select(
        *(name for name in SOURCE if name != "line_id"),
        F.when(doubtful, line_id(contract)).alias("line_id"),
        F.when(doubtful, kept_text(contract)).alias("raw"),
        *meaning.columns,
        "reason",
        F.when(F.col("reason").isNotNull(), rule).alias("rule"),
        _rescued(contract).alias("rescued"),
        F.when(F.col("notable"), _notes(remarks)).alias("notes"),
        "absent",
    )


def meaning_of(contract: Contract) -> Meaning:
    """The silver columns and rules of an entity."""
    makers = {
        USERS.entity: _users,
        ARTISTS.entity: _artists,
        TRACKS.entity: _tracks,
        TRACK_STORAGE.entity: _storage,
        SESSIONS.entity: _events,
    }
    return makers[contract.entity]()


def is_incomplete() -> Column:
    """Whether an event lacks its user, its type, or the track that its type calls for."""
    no_track = F.col("track_id").isNull() & F.col("event_type").isin(schemas.PLAY, schemas.SKIP, schemas.LIKE)
    return F.col("user_id").isNull() | F.col("event_type").isNull() | no_track


def event_type(raw: Column) -> Column:
    """One of the five types whatever its case or misspelling, null for null, else as it came in capitals."""
    upper = F.upper(F.trim(raw))
    spelled = F.coalesce(*(F.when(upper == wrong, F.lit(right)) for wrong, right in SPELLINGS.items()), upper)
    # nearly all rows are spelt as they should be
    return F.when(raw.isin(*schemas.EVENT_TYPES), raw).otherwise(F.nullif(spelled, F.lit("")))


def text_id(raw: Column) -> Column:
    """An identifier, null where it is empty or the -1 that stands for none."""
    return F.when(~raw.isin("", "-1"), raw)


def number_id(raw: Column) -> Column:
    """An identifier, null where it is negative: -1 stands for none."""
    return F.when(raw >= 0, raw)


def event_time(raw: Column) -> Column:
    """An ISO timestamp with or without a fraction, as UTC; null if it isn't one.

    A time without a date would otherwise be taken as today's.
    """
    dated = (F.length(raw) >= 19) & (F.substring(raw, 5, 1) == "-")
    return F.when(dated, raw.try_cast("timestamp"))


def release_date(raw: Column) -> Column:
    """`YYYY`, `YYYY-MM` or `YYYY-MM-DD` as the first day it can mean; null if it is no date."""
    return F.when(raw.rlike(r"^\d{4}(-\d\d){0,2}$"), raw.try_cast("date"))


def release_precision(raw: Column) -> Column:
    """How exactly a release date is known: `year`, `month` or `day`."""
    precisions = {4: "year", 7: "month", 10: "day"}
    return F.coalesce(*(F.when(F.length(raw) == size, F.lit(name)) for size, name in precisions.items()))


def _users() -> Meaning:
    row = F.col("row")
    return Meaning(
        {
            "user_id": number_id(row["user_id"]),
            "city": row["city"],
            "favourite_genres": row["favourite_genres"],
            "premium_user": row["premium_user"],
        },
        (_needed("user_id"),),
    )


def _artists() -> Meaning:
    row = F.col("row")
    return Meaning(
        {"id": text_id(row["id"]), "name": row["name"], "genres": row["genres"]},
        (_needed("id"),),
    )


def _storage() -> Meaning:
    row = F.col("row")
    known = F.coalesce(F.col("storage_class").isin(*STORAGE_CLASSES), F.lit(False))
    return Meaning(
        {
            "track_id": text_id(row["track_id"]),
            "storage_class": F.upper(F.trim(row["storage_class"])),
            "daily_cost": row["daily_cost"],
        },
        (
            _needed("track_id"),
            Rule("unknown_storage_class", f"storage_class: one of {', '.join(STORAGE_CLASSES)}", ~known),
            _within("daily_cost", row["daily_cost"], 0, 1_000_000),
        ),
    )


def _tracks() -> Meaning:
    row = F.col("row")
    raw_date = row["release_date"]
    unknown = F.lit(True)
    for name in schemas.AUDIO_FEATURES:
        unknown = unknown & (row[name] == 0)
    known_if = {name: ~F.coalesce(unknown, F.lit(False)) for name in schemas.AUDIO_FEATURES}
    known_if["tempo"] = known_if["tempo"] & (row["tempo"] != 0)
    unit = [name for name in schemas.AUDIO_FEATURES if name not in ("loudness", "tempo")]
    return Meaning(
        {
            "id": text_id(row["id"]),
            "name": row["name"],
            "popularity": row["popularity"],
            "duration_ms": row["duration_ms"],
            "explicit": row["explicit"].cast("boolean"),
            "id_artist": text_id(row["id_artist"]),
            "release_date": release_date(raw_date),
            "release_date_precision": release_precision(raw_date),
            "key": number_id(row["key"]),
            **{name: F.when(known_if[name], row[name]) for name in schemas.AUDIO_FEATURES},
        },
        (
            _needed("id"),
            Rule(
                "bad_date",
                "release_date: YYYY, YYYY-MM or YYYY-MM-DD",
                raw_date.isNotNull() & F.col("release_date").isNull(),
            ),
            _within("popularity", row["popularity"], 0, 100),
            _within("duration_ms", row["duration_ms"], 1, 86_400_000),
            _within("explicit", row["explicit"], 0, 1),
            _within("key", row["key"], -1, 11),
            *(_within(name, row[name], 0, 1) for name in unit),
            _within("loudness", row["loudness"], -100, 20),
            _within("tempo", row["tempo"], 0, 400),
        ),
    )


def _events() -> Meaning:
    row = F.col("row")
    time, kind = F.col("event_time"), F.col("event_type")
    within = (time >= F.lit(EARLIEST).cast("timestamp")) & (time < F.lit(LATEST).cast("timestamp"))
    trackless = kind.isin(schemas.ADVERTISEMENT, schemas.BUY_PREMIUM)
    return Meaning(
        {
            "event_time": event_time(row["timestamp"]),
            "event_type": event_type(row["event_type"]),
            "user_id": number_id(row["user_id"]),
            "session_id": number_id(row["session_id"]),
            "track_id": text_id(row["track_id"]),
            "no_track": F.coalesce(row["track_id"] == "", F.lit(False)),
        },
        (
            Rule(
                "bad_timestamp",
                "timestamp: YYYY-MM-DDTHH:MM:SS[.ffffff], a real date and time",
                time.isNull(),
            ),
            Rule("out_of_range", f"timestamp: from {EARLIEST} to before {LATEST}", ~within),
            _needed("session_id"),
            Rule(
                "unknown_event_type",
                f"event_type: one of {', '.join(schemas.EVENT_TYPES)}",
                ~kind.isin(*schemas.EVENT_TYPES),
            ),
            Rule(
                "unexpected_track",
                "track_id: none on adverts and purchases",
                trackless & F.col("track_id").isNotNull(),
            ),
        ),
    )


def _needed(name: str) -> Rule:
    return Rule(f"missing_{name}", f"{name}: an identifier", F.col(name).isNull())


def _within(name: str, value: Column, low: int, high: int) -> Rule:
    """Null passes; NaN and infinities don't, being beyond every bound."""
    return Rule("out_of_range", f"{name}: from {low} to {high}", ~value.between(low, high))


def _rescued(contract: Contract) -> Column:
    """Fields that the contract doesn't know, as JSON; of entities with personal fields, masked."""
    fields = F.map_filter(
        F.from_json("text", "map<string,string>"), lambda key, _: F.array_contains("unknown", key)
    )
    kept = fields if contract.safe is None else masked_values(fields)
    return F.when(F.size("unknown") > 0, F.to_json(kept))


def _remarks(contract: Contract) -> dict[str, Column]:
    """What the report tells of a raw row, such as `null genres`, and when."""
    row = F.col("row")
    remarks = {f"null {name}": row[name].isNull() for name in contract.required}
    for field in contract.fields:
        if field.name.endswith("id") or field.name == "id_artist":
            minus_one = F.lit("-1" if isinstance(field.dataType, T.StringType) else -1)
            remarks[f"-1 as {field.name}"] = row[field.name] == minus_one
    if contract is SESSIONS:
        remarks[EMPTY_TRACK] = row["track_id"] == ""
        raw = row["event_type"]
        meant = event_type(raw)
        spelled, known = F.upper(F.trim(raw)) == meant, meant.isin(*schemas.EVENT_TYPES)
        # asked first of both: nearly all rows are spelt as they should be
        odd = ~raw.isin(*schemas.EVENT_TYPES)
        remarks["case of event_type"] = odd & spelled & known
        remarks["spelling of event_type"] = odd & ~spelled & known
    return remarks


def _notes(remarks: dict[str, Column]) -> Column:
    """The remarks on a row, and its fields that the contract doesn't know; null if there are none."""
    stray = F.transform("unknown", lambda name: F.concat(F.lit("stray "), name))
    plain = F.array_compact(F.array(*(F.when(holds, F.lit(name)) for name, holds in remarks.items())))
    noted = F.when(
        F.col("fault").isNull(), F.concat(plain, F.coalesce(stray, F.array().cast("array<string>")))
    )
    return F.when(F.size(noted) > 0, noted)

"""Names and streets stop here: what may be kept of a user's row that isn't accepted."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from pozytywka_spark.ingest.contracts import Contract

MASK = "***"
_LONGEST = 1000


def kept_text(contract: Contract) -> Column:
    """The raw text (columns `text`, `value`, `fault`) as it may be stored.

    Without personal fields in the contract: the text itself, invalid UTF-8 replaced. With them: a
    readable row keeps its safe fields as they were typed, the others masked; of an unreadable one,
    where no field can be told from another, only the shape stays.
    """
    if contract.safe is None:
        return F.make_valid_utf8("value")
    readable = F.col("fault").isNull() | (F.col("fault") == "wrong_type")
    return F.when(readable, _masked(contract)).otherwise(_shape())


def masked_values(fields: Column) -> Column:
    """A map of fields with every value masked."""
    return F.transform_values(fields, lambda _, __: F.lit(MASK))


def _masked(contract: Contract) -> Column:
    """The safe fields, each masked too if its value can hold a name: text with digits, or another type."""
    fields = F.from_json(
        "text", "user_id variant, city variant, favourite_genres variant, premium_user variant"
    )
    plain = {
        "user_id": r"^-?[0-9][-+.0-9eE]*$",
        "city": r"^\"[^\"0-9]*\"$",
        "favourite_genres": r"^\[[^\[{]*\]$",
        "premium_user": r"^(true|false)$",
    }
    parts = []
    for name in contract.safe or ():
        written = F.to_json(fields[name])
        parts.append(
            F.when(
                written.rlike(plain[name]) | (written == "null"), F.concat(F.lit(f'"{name}":'), written)
            ).when(written.isNotNull(), F.lit(f'"{name}":"{MASK}"'))
        )
    parts += [F.lit(f'"{name}":"{MASK}"') for name in contract.ignored]
    return F.concat(F.lit("{"), F.array_join(F.array(*parts), ","), F.lit("}"))


def _shape() -> Column:
    """Letters and digits starred, so that brackets, quotes and length show what broke."""
    return F.regexp_replace(F.make_valid_utf8(F.substring("value", 1, _LONGEST)), r"[\p{L}\p{M}\p{N}]", "*")

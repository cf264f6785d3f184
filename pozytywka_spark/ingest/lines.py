"""Raw lines and what can be said of them before their meaning: is this JSON, of the contract's types?"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.ingest.contracts import Contract

BOM = "\ufeff"
_CORRUPT = "_corrupt"
# How a number, a boolean, an object or an array looks in a field that should have been text.
_BARE = r"^([-+]?[0-9.]+([eE][-+]?[0-9]+)?|true|false|[{\[].*)$"

# Where a row comes from; every frame of ingest carries these beside the row itself.
SOURCE = ("line_id", "source_file", "source_order", "source_size", "source_modified")


def as_lines(batch: DataFrame, contract: Contract) -> DataFrame:
    """Grain: line of a file that holds something. `batch` is as `reader.read_lines` gives it.

    `line_id` is left to `judge`, which takes the hash of entity and line where it is needed.
    `source_order` grows with the position in the file: it takes the place of a line number, which
    files read in parallel don't have.
    """
    return batch.where(F.length(F.trim("value")) > 0).select(
        "value",
        F.lit(None).cast("string").alias("line_id"),
        F.col("_metadata.file_path").alias("source_file"),
        F.col("source_order"),
        F.col("_metadata.file_size").alias("source_size"),
        F.col("_metadata.file_modification_time").alias("source_modified"),
    )


def line_id(contract: Contract) -> Column:
    """What names a line: the one it has (of a quarantined row), else a hash of entity and text."""
    return F.coalesce("line_id", F.md5(F.concat(F.lit(f"{contract.entity}|"), "value")))


def as_lines_again(quarantine: DataFrame) -> DataFrame:
    """Grain: quarantined row, as a line to be judged anew."""
    return quarantine.select(
        F.col("raw").alias("value"),
        F.col("quarantine_id").alias("line_id"),
        "source_file",
        "source_order",
        F.lit(0).cast("bigint").alias("source_size"),
        F.timestamp_seconds(F.lit(0)).alias("source_modified"),
    )


def parse(lines: DataFrame, contract: Contract, max_line_bytes: int) -> DataFrame:
    """Each line with `text` (null if unreadable), `row` (the contract's fields) and what is wrong with it.

    `doubt` is false for lines of which nothing but their meaning is left to judge. `fault` is null,
    or the code of what makes the line useless: `too_long`, `invalid_utf8`, `malformed`,
    `wrong_type`; `fault_rule` names the limit or the fields. `absent` lists fields that the line
    lacks altogether, `unknown` those that the contract doesn't know. All of these need a second look
    at the text, taken only where the first left a doubt, so that clean lines are parsed once.
    """
    too_long = F.octet_length("value") > max_line_bytes
    text = F.when(F.startswith("value", F.lit(BOM)), F.substring("value", 2, 2**31 - 1)).otherwise(
        F.col("value")
    )
    schema = T.StructType([*contract.fields.fields, T.StructField(_CORRUPT, T.StringType())])
    read = lines.select("*", F.when(~too_long & F.is_valid_utf8("value"), text).alias("text")).select(
        "*", F.from_json("text", schema, {"columnNameOfCorruptRecord": _CORRUPT}).alias("row")
    )
    doubt = F.col("doubt")
    # what follows is written out for each use, for it is evaluated on doubtful lines only
    keys = F.json_object_keys("text")
    mistyped = F.when(keys.isNotNull(), _mistyped(contract))
    known = F.array(*map(F.lit, contract.known))
    required = F.array(*map(F.lit, contract.required))
    rule = F.when(too_long, F.lit(f"at most {max_line_bytes} bytes a line")).when(
        F.size(mistyped) > 0, F.concat_ws(", ", mistyped)
    )
    return read.select("*", _doubt(contract).alias("doubt")).select(
        "*",
        F.when(doubt, _fault(too_long, mistyped)).alias("fault"),
        F.when(doubt, rule).alias("fault_rule"),
        F.when(doubt, F.array_except(required, keys)).alias("absent"),
        F.when(doubt, F.array_except(F.array_distinct(keys), known)).alias("unknown"),
    )


def _doubt(contract: Contract) -> Column:
    """Whether a line may lack a field, have one too many, or have one of another type.

    Each field of a flat object shows as one `":` in the text. A string field takes a number or an
    object without complaint; what such a one looks like is told by its first character.
    """
    row, text = F.col("row"), F.col("text")
    doubts = [row[_CORRUPT].isNotNull(), ~F.endswith(F.rtrim("text"), F.lit("}"))]
    doubts += [row[field.name].isNull() for field in contract.fields]
    marks = F.octet_length("text") - F.octet_length(F.replace(text, F.lit('":'), F.lit("")))
    doubts.append(marks != 2 * len(contract.known))
    for field in contract.fields:
        if isinstance(field.dataType, T.StringType):
            value = row[field.name]
            # a look at one character is cheap, and spares most values the pattern
            opens = F.substring(value, 1, 1).isin(*"+-.0123456789tf{[")
            doubts.append(opens & value.rlike(_BARE))
    return F.coalesce(reduce(Column.__or__, doubts), F.lit(True))


def _mistyped(contract: Contract) -> Column:
    """Names of the fields whose value is there but isn't of the contract's type."""
    names = []
    for field in contract.fields:
        value = F.col("row")[field.name]
        if isinstance(field.dataType, T.StringType):
            # a value that opens with neither a quote nor the n of null; -1 stands for no identifier
            bare = F.col("text").rlike(rf'"{field.name}"\s*:\s*[^"n\s]')
            wrong = value.isNotNull() & (value != "-1") & bare
        else:
            wrong = value.isNull() & F.get_json_object("text", f"$.{field.name}").isNotNull()
        names.append(F.when(wrong, F.lit(field.name)))
    return F.array_compact(F.array(*names))


def _fault(too_long: Column, mistyped: Column) -> Column:
    # two objects on a line: Spark would read the first and drop the rest
    glued = F.col("text").rlike(r"\}\s*\{")
    open_ended = ~F.endswith(F.rtrim("text"), F.lit("}"))
    corrupt = F.col("row")[_CORRUPT].isNotNull()
    return (
        F.when(too_long, F.lit("too_long"))
        .when(F.col("text").isNull(), F.lit("invalid_utf8"))
        .when(F.col("row").isNull() | open_ended, F.lit("malformed"))
        .when(F.size(mistyped) > 0, F.lit("wrong_type"))
        .when(corrupt | glued, F.lit("malformed"))
    )

"""Raw lines and what can be said of them before their meaning: is this JSON, of the contract's types?"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pozytywka_spark.ingest.contracts import Contract

BOM = "\ufeff"
_CORRUPT = "_corrupt"

# Where a row comes from; every frame of ingest carries these beside the row itself.
SOURCE = ("line_id", "source_file", "source_order", "source_size", "source_modified")


def as_lines(batch: DataFrame, contract: Contract) -> DataFrame:
    """Grain: line of a file that holds something. `batch` is Spark's text source (column `value`).

    `line_id` is a hash of entity and line. `source_order` grows with the position in the file, for
    Spark plans a file's splits in their order: it takes the place of a line number, which files read
    in parallel don't have.
    """
    return batch.where(F.length(F.trim("value")) > 0).select(
        "value",
        F.md5(F.concat(F.lit(f"{contract.entity}|"), "value")).alias("line_id"),
        F.col("_metadata.file_path").alias("source_file"),
        F.monotonically_increasing_id().alias("source_order"),
        F.col("_metadata.file_size").alias("source_size"),
        F.col("_metadata.file_modification_time").alias("source_modified"),
    )


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

    `fault` is null, or the code of what makes the line useless: `too_long`, `invalid_utf8`,
    `malformed`, `wrong_type`; `fault_rule` names the limit or the fields. `absent` lists fields that
    the line lacks altogether, `unknown` those that the contract doesn't know. Both need a second
    look at the text, taken only where the first left a doubt, so that clean lines are parsed once.
    """
    too_long = F.octet_length("value") > max_line_bytes
    readable = ~too_long & F.is_valid_utf8("value")
    text = F.when(F.startswith("value", F.lit(BOM)), F.substring("value", 2, 2**31 - 1)).otherwise(
        F.col("value")
    )
    schema = T.StructType([*contract.fields.fields, T.StructField(_CORRUPT, T.StringType())])
    parsed = lines.select(
        "*",
        too_long.alias("too_long"),
        readable.alias("readable"),
        F.when(readable, text).alias("text"),
    ).select(
        "*",
        F.from_json("text", schema, {"columnNameOfCorruptRecord": _CORRUPT}).alias("row"),
    )
    doubtful = parsed.select("*", _doubt(contract).alias("doubt")).select(
        "*", F.when(F.col("doubt") & F.col("readable"), F.json_object_keys("text")).alias("keys")
    )
    mistyped = _mistyped(contract)
    known = F.array(*map(F.lit, contract.known))
    required = F.array(*map(F.lit, contract.required))
    judged = doubtful.select(
        "*", F.when(F.col("doubt") & F.col("keys").isNotNull(), mistyped).alias("mistyped")
    )
    return judged.select(
        *lines.columns,
        "text",
        "row",
        _fault().alias("fault"),
        F.when(F.col("too_long"), F.lit(f"at most {max_line_bytes} bytes a line"))
        .when(F.size("mistyped") > 0, F.concat_ws(", ", "mistyped"))
        .alias("fault_rule"),
        F.array_except(required, F.col("keys")).alias("absent"),
        F.array_except(F.array_distinct("keys"), known).alias("unknown"),
    )


def _doubt(contract: Contract) -> Column:
    """Whether a line may lack a field, have one too many, or have one of another type.

    Each field of a flat object shows as one `":` in the text. A string field takes a number or an
    object without complaint; what such a one looks like is told by its first character.
    """
    row = F.col("row")
    some_null = F.lit(False)
    odd_text = F.lit(False)
    for field in contract.fields:
        some_null = some_null | row[field.name].isNull()
        if isinstance(field.dataType, T.StringType):
            odd_text = odd_text | row[field.name].rlike(
                r"^([-+]?[0-9.]+([eE][-+]?[0-9]+)?|true|false|[{\[].*)$"
            )
    marks = (F.length("text") - F.length(F.replace("text", F.lit('":'), F.lit("")))) / 2
    return F.coalesce(
        row[_CORRUPT].isNotNull() | some_null | odd_text | (marks != len(contract.known)), F.lit(True)
    )


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


def _fault() -> Column:
    glued = F.col("text").rlike(
        r"\}\s*\{"
    )  # two objects on a line: Spark would read the first and drop the rest
    open_ended = ~F.endswith(F.rtrim("text"), F.lit("}"))
    corrupt = F.col("row")[_CORRUPT].isNotNull()
    return (
        F.when(F.col("too_long"), F.lit("too_long"))
        .when(~F.col("readable"), F.lit("invalid_utf8"))
        .when(F.col("row").isNull() | open_ended, F.lit("malformed"))
        .when(F.size("mistyped") > 0, F.lit("wrong_type"))
        .when(F.col("doubt") & (corrupt | glued), F.lit("malformed"))
    )

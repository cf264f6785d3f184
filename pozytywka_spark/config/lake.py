"""Settings of the lake and its storage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section


class LakeSettings(Section):
    """Where the Delta tables are and which implementation reads and writes them."""

    section_decides = NOTHING

    root: str = Field(min_length=1, description="folder that holds one folder a table")
    engine: Literal["delta-rs", "delta-spark"] = Field(
        "delta-rs",
        description="who keeps the tables' log; with `--env cluster` it is delta-spark unless given",
    )
    user_buckets: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="into how many parts users divide the events of each month in a new lake; unset: by the "
        "largest month; a lake that is there keeps its own, see maintain --buckets",
    )
    staging: str | None = Field(
        None,
        min_length=1,
        description="delta-spark only: folder for rows on their way, which all machines open (local, mounted "
        "or s3://); unset: below root",
    )
    file_systems: tuple[Literal["s3", "hdfs", "gs", "abfss", "abfs"], ...] = Field(
        (),
        description="delta-spark only: stores that tasks open themselves, through pyarrow; see doctor",
    )
    retention_hours: float = Field(168, ge=0, description="versions younger than this survive a vacuum")
    delta_jars: Literal["provided", "download"] = Field(
        "provided", description="delta-spark only: the Spark at hand has Delta's jars, or Spark fetches them"
    )


class S3(Section):
    """The server behind s3:// addresses; credentials come from the environment (AWS_*) and nowhere else."""

    section_decides = NOTHING

    endpoint: str | None = Field(
        None, pattern=r"^https?://[^/@]+/?$", description="unset: $AWS_ENDPOINT_URL, else Amazon's own"
    )
    region: str | None = Field(None, min_length=1, description="unset: $AWS_REGION, else us-east-1")
    path_style: bool = Field(True, description="false: the bucket is part of the host's name")

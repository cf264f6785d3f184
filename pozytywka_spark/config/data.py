"""Settings of the session, the lake, ingest, labels and features."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Moment, Section, decides


class Raw(Section):
    """Where deliveries are."""

    section_decides = NOTHING

    path: str | None = Field(
        None, min_length=1, description="folder of one delivery; unset: the embedded one"
    )


class Ingest(Section):
    """How raw files are read."""

    section_decides = decides("tables")

    accept_bad_share: float = Field(
        0.5, ge=0, le=1, description="a file of which more rows than that can't be used is refused whole"
    )
    max_files_per_batch: int | None = Field(
        None, ge=1, description="unset: a delivery is one batch, so that sessions are whole when repaired"
    )
    max_line_bytes: int = Field(1_048_576, ge=1024, description="longer lines are quarantined unparsed")
    future_days: float = Field(
        1.0, ge=0, le=36_525, description="an event later than this after the ingest's start is quarantined"
    )
    at: Moment | None = Field(
        None, description="when the ingest is taken to start, UTC; unset: now. For repeatable runs"
    )
    wait_seconds: float = Field(
        600,
        ge=0,
        description="how long to wait for another ingest on the same lake",
        json_schema_extra=NOTHING,
    )
    assume_alone: bool = Field(
        False,
        description="needed where a lake can't be locked (object stores): nothing else ingests into it",
        json_schema_extra=NOTHING,
    )


class Data(Section):
    """From when to when the data are complete, which a few stray clocks must not move; see dataspan.py."""

    section_decides = decides("tables", "monitoring", "monthly")

    start: Moment | None = Field(
        None, description="date or time (UTC) at which the data begin; unset: found from events by day"
    )
    end: Moment | None = Field(
        None,
        description="date or time (UTC), itself outside, up to which the data are complete; unset: found "
        "from events by day",
    )
    thin_share: float = Field(
        0.1, gt=0, lt=1, description="a day with a smaller share of a usual day's events says nothing"
    )
    thin_weeks_share: float = Field(
        0.2, gt=0, lt=1, description="nor does one in four weeks with a smaller share of usual four weeks'"
    )
    late_start_days: int = Field(
        3, ge=0, le=27, description="days after its begin at which the first month may start and be complete"
    )


class LakeSettings(Section):
    """Where the Delta tables are and which implementation reads and writes them."""

    section_decides = NOTHING

    root: str = Field(min_length=1, description="folder that holds one folder a table")
    engine: Literal["delta-rs", "delta-spark"] = "delta-rs"
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


class Spark(Section):
    """What the one session builder is told."""

    section_decides = NOTHING

    master: str | None = Field(None, description="unset: local[*] in place, spark-submit's own otherwise")
    driver_memory: str = Field("3g", pattern=r"^\d+[kmgt]$")
    shuffle_partitions: int | None = Field(None, ge=1, description="unset: four per core, at least 8")
    ui: bool = False
    conf: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="any further spark.* key"
    )


class Label(Section):
    """What is predicted."""

    section_decides = decides("tables", "model")

    name: Literal["buys_within_horizon", "buys_ever"] = "buys_within_horizon"
    horizon_days: int = Field(30, ge=1, le=366)
    allow_censored: bool = Field(
        False, description="must be true to train on buys_ever", json_schema_extra=NOTHING
    )

    @property
    def horizon_column(self) -> str:
        """The label column whose horizon this is: `buys_within_30_days` by default."""
        return f"buys_within_{self.horizon_days}_days"

    @property
    def column(self) -> str:
        """The label column that is trained on."""
        return "buys_ever" if self.name == "buys_ever" else self.horizon_column


class Features(Section):
    """What is built of users' months, and what of it models see."""

    section_decides = NOTHING  # the page of `features --report` is made anew each time

    drop: tuple[str, ...] = Field(
        (),
        description="features of the catalogue that models are not given",
        json_schema_extra=decides("model"),
    )
    extra: tuple[str, ...] = Field(
        (),
        description="modules with a tuple FEATURES of entries of your own, as my_package.my_features",
        json_schema_extra=decides("tables", "model"),
    )
    report_rows: int = Field(50_000, ge=100, description="rows that correlation and histograms look at")
    redundant_above: float = Field(0.98, gt=0, le=1, description="Spearman correlation of a redundant group")


class Guards(Section):
    """How hard the guards look."""

    section_decides = decides("tables")

    perturbation: bool = Field(True, description="false skips the rebuild with the future removed")
    perturbation_events: int = Field(
        20_000_000, ge=0, description="up to so many events of the months built, all users are rebuilt"
    )
    perturbation_users: int = Field(2_000, ge=1, description="users that are rebuilt where there are more")
    suspicion_rows: int = Field(20_000, ge=100, description="labelled rows that single features are tried on")
    seed: int = Field(7, json_schema_extra=decides("tables", "report"))
    max_single_auc: float = Field(0.95, gt=0.5, le=1, description="a feature this good alone is a leak")

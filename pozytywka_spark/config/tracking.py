"""Settings of MLflow."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section


class Mlflow(Section):
    """Where runs and models go."""

    section_decides = NOTHING

    tracking_uri: str = Field(min_length=1)
    artifact_root: str | None = Field(None, description="unset: beside a SQLite file, else the server's own")
    experiment: str = Field("pozytywka-premium", pattern=r"^[\w .-]+$")
    model_name: str = Field("pozytywka-premium", pattern=r"^[\w .-]+$")

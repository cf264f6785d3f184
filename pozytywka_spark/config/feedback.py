"""Settings of what people write to us."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import NOTHING, Section, decides


class Feedback(Section):
    """How long texts stay, and when a model's word is enough."""

    section_decides = decides("feedback")

    retention_months: int = Field(
        24,
        ge=1,
        description="after which texts are deleted; signals stay",
        json_schema_extra=NOTHING,  # what is left of texts decides by itself
    )
    salt_file: str | None = Field(
        None,
        min_length=1,
        description="file of the secret that names are hashed with; unset: under home/secrets. The variable "
        "POZYTYWKA_FEEDBACK_SALT comes before it",
        json_schema_extra=NOTHING,
    )
    route_precision: float = Field(0.95, gt=0, lt=1, description="share of routed texts in the right queue")
    spam_precision: float = Field(0.99, gt=0, lt=1, description="share of texts called spam that are")
    price_queues: tuple[str, ...] = Field(
        ("payment",),
        description="queues of texts that ask about a price, for features",
        json_schema_extra=decides("tables"),
    )
    advert_queues: tuple[str, ...] = Field(
        ("adverts",),
        description="queues of texts that complain of adverts, for features",
        json_schema_extra=decides("tables"),
    )
    min_labels: int = Field(200, ge=20, description="texts with a label, for a model of it")
    languages: tuple[str, ...] = Field(
        ("en", "pl", "pt"),
        min_length=1,
        description="ISO 639-1 codes of the languages that texts may be in; each text is in one of them",
    )

"""Settings of genre groups and languages."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import Section, decides


class Topics(Section):
    """How genres are grouped, and which languages a service expects."""

    section_decides = decides("topics")

    seed: int = Field(7, ge=0)
    resolution: float = Field(1.0, gt=0, description="of the communities: higher makes more, smaller groups")
    languages: tuple[str, ...] = Field(
        ("en", "pl", "de", "fr", "es", "pt", "it", "tr", "hu", "id", "ja", "ko", "zh", "ru", "el"),
        min_length=1,
        description="ISO 639-1 codes of the languages that titles may be in",
    )

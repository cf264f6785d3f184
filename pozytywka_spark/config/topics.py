"""Settings of genre groups and languages."""

from __future__ import annotations

from pydantic import Field

from pozytywka_spark.config.base import Section, decides


class Topics(Section):
    """How genres are grouped, and which languages a service expects."""

    section_decides = decides("topics")

    seed: int = Field(7, ge=0)
    resolution: float = Field(
        1.0, gt=0, description="of the communities: higher makes more, smaller groups; heeded by `--refit`"
    )
    rounds: int = Field(
        40, ge=1, le=1000, description="samples of the counts that groups are found in; more are steadier"
    )
    smallest: float = Field(
        0.002, gt=0, lt=0.5, description="share of all uses of genres that a group has at least"
    )
    smallest_subgroup: float = Field(
        0.0005, gt=0, lt=0.5, description="share of all uses of genres that a subgroup has at least"
    )
    words_confidence: float = Field(
        0.5, ge=0, le=1, description="how likely a group must be for a genre to go there by its name alone"
    )
    languages: tuple[str, ...] = Field(
        ("en", "pl", "de", "fr", "es", "pt", "it", "tr", "hu", "id", "ja", "ko", "zh", "ru", "el"),
        min_length=1,
        description="ISO 639-1 codes of the languages that titles may be in",
    )
    language_confidence: float = Field(
        0.6, ge=0, le=1, description="how likely a language must be for titles to count as being in it"
    )

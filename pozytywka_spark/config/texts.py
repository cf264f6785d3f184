"""Settings of made worlds in which people write."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pozytywka_spark.config.base import Month, Section

Share = Annotated[float, Field(ge=0, le=1)]


class Texts(Section):
    """How much people write, in which languages, and what moves them; nobody writes unless `rate` is set."""

    rate: float = Field(
        0.0, ge=0, le=31, description="texts that somebody writes in a month in which they listen, on average"
    )
    languages: tuple[Literal["en", "pl", "pt"], ...] = Field(
        ("en", "pl", "pt"), min_length=1, description="that people write in, each as many; one a person"
    )
    personal: Share = Field(
        0.15, description="of texts with a name, street, e-mail address, phone or card number, or a link"
    )
    spam: Share = Field(0.03, description="of texts that are spam")
    labels: Share = Field(0.3, description="of texts delivered with their queue and whether they are spam")
    wrong_labels: Share = Field(
        0.02, description="of the queues delivered that are another than the true one"
    )
    taste: float = Field(
        2.0,
        ge=0,
        le=10,
        description="power of the hidden pull to premium (taste over patience) in asking for its price",
    )
    test_from: Month | None = Field(
        None, description="from when texts are made of sentences that no earlier one is made of"
    )

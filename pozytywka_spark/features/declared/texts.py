"""What users wrote, by the signals of their texts; only in lakes where `feedback` has read some.

A score without words is no text: it has no signals, and counts nowhere here.

Texts are looked back at from each cut-off, not summed by month: who writes after the last session of a month
has no row in the next one, and is heard all the same.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from pozytywka_spark.features.declared.arithmetic import divided, real, total
from pozytywka_spark.features.declared.declaration import NEVER, Feature
from pozytywka_spark.features.declared.levels import NEEDS
from pozytywka_spark.features.declared.values import Formula, Measure

SENTIMENT_DIGITS = 6  # kept of the sentiment, -1 to 1
MOST_MONTHS = 12  # that a text is looked back at from
_SPANS = (3, MOST_MONTHS)
_SOURCE = "feedback_signals"
_NO_SENTIMENT = "null: no text of known sentiment"
_WORST = f"the lowest sentiment, in 10^-{SENTIMENT_DIGITS}"
_LAST = f"the sentiment of the latest one (of several the lowest), in 10^-{SENTIMENT_DIGITS}"


def _measure(name: str, months: int, what: str, aggregate: Callable[[], pl.Expr]) -> Measure:
    arithmetic = f"{what}, of the user's texts that are no spam in the {months} months up to the cut-off"
    return Measure(name=f"{name}_in_{months}", aggregate=aggregate, level="text", arithmetic=arithmetic)


def _recent(months: int) -> pl.Expr:
    return pl.col("months_ago") < months


def _felt(months: int) -> pl.Expr:
    """Sentiments of the span, where they are known."""
    return pl.col("sentiment").filter(_recent(months) & pl.col("sentiment").is_not_null())


def _counted(name: str, what: str, column: str | None) -> dict[int, Measure]:
    def count(months: int) -> Callable[[], pl.Expr]:
        return lambda: total(_recent(months) if column is None else pl.col(column).filter(_recent(months)))

    return {months: _measure(name, months, what, count(months)) for months in _SPANS}


def _lowest(months: int) -> Callable[[], pl.Expr]:
    return lambda: _felt(months).min()


texts = _counted("texts", "count", None)
price_texts = _counted("price_texts", "count of those in a queue for prices", "price")
advert_texts = _counted("advert_texts", "count of those in a queue for adverts", "adverts")
felt_texts = {
    months: _measure("felt_texts", months, "count of those of known sentiment", count)
    for months, count in ((3, lambda: _felt(3).len()), (12, lambda: _felt(12).len()))
}
worst_text = {months: _measure("worst_text", months, _WORST, _lowest(months)) for months in _SPANS}
last_text = _measure(
    "last_text", 12, _LAST, lambda: _felt(12).sort_by(_of_felt("at"), -_of_felt("sentiment")).last()
)


def _of_felt(column: str) -> pl.Expr:
    return pl.col(column).filter(pl.col("sentiment").is_not_null())


def _sentiment(measure: Measure, felt: Measure) -> Formula:
    return Formula(
        arithmetic=f"{measure.name} / 10^{SENTIMENT_DIGITS} where {felt.name} > 0",
        measures=(measure, felt),
        expression=lambda: divided(
            real(pl.when(felt.column() > 0).then(measure.column())), 10.0**SENTIMENT_DIGITS
        ),
    )


def _text_count(name: str, meaning: str, measure: Measure, months: int) -> Feature:
    return Feature(
        name=f"{name}_last_{months}_months",
        meaning=f"{meaning} in the last {months} months, this one included",
        unit="texts",
        kind="count",
        null=NEVER,
        value=measure,
        source=_SOURCE,
        needs=NEEDS["text"],
        looks_back=months,
    )


def _felt_feature(name: str, meaning: str, measure: Measure, months: int) -> Feature:
    return Feature(
        name=f"{name}_last_{months}_months",
        meaning=f"sentiment of {meaning} in the last {months} months, this one included",
        unit="-1..1",
        kind="average",
        null=_NO_SENTIMENT,
        value=_sentiment(measure, felt_texts[months]),
        source=_SOURCE,
        needs=NEEDS["text"],
        looks_back=months,
    )


FEATURES: tuple[Feature, ...] = (
    *(_text_count("texts_written", "texts", texts[months], months) for months in _SPANS),
    *(_felt_feature("worst_sentiment", "the worst text", worst_text[months], months) for months in _SPANS),
    _felt_feature("last_sentiment", "the last text", last_text, 12),
    *(
        _text_count("asked_about_price", "texts in a queue for prices", price_texts[months], months)
        for months in _SPANS
    ),
    *(
        _text_count("complained_of_adverts", "texts in a queue for adverts", advert_texts[months], months)
        for months in _SPANS
    ),
)

"""What is learnt from people's labels: the queue, who recommends the service, spam."""

from __future__ import annotations

import polars as pl

QUEUE, SENTIMENT, SPAM = "queue", "sentiment", "spam"
LEARNT = (QUEUE, SENTIMENT, SPAM)
DETRACTOR, PROMOTER = "detractor", "promoter"
HAM = "no spam"
# The net promoter score's own bounds (Reichheld 2003): up to 6 detractors, from 9 on promoters
MOST_OF_DETRACTORS, LEAST_OF_PROMOTERS = 6, 9
COLUMNS = ("text", "score", "queue", "spam")


def label_of(task: str) -> pl.Expr:
    """A text's class in that task, null where nobody said, from the columns of `feedback`.

    Spam has neither a queue nor a sentiment; passives (7, 8) neither recommend nor warn.
    """
    genuine = pl.col("spam").fill_null(value=False).not_()
    if task == QUEUE:
        return pl.when(genuine).then(pl.col("queue"))
    if task == SENTIMENT:
        score = pl.when(genuine).then(pl.col("score"))
        return (
            pl.when(score <= MOST_OF_DETRACTORS)
            .then(pl.lit(DETRACTOR))
            .when(score >= LEAST_OF_PROMOTERS)
            .then(pl.lit(PROMOTER))
        )
    return pl.when(pl.col("spam")).then(pl.lit(SPAM)).when(pl.col("spam").not_()).then(pl.lit(HAM))

"""A silver table of feedback: three languages, four queues, promoters and detractors, spam."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl

from pozytywka_spark.hashing.identity import user_bucket
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.casting import as_table
from pozytywka_spark.months import month_after
from pozytywka_spark.schemas import FEEDBACK

FIRST = date(2024, 1, 1)
# by language: op# by language: openings, then by queue what is said
SAID = {
    "en": (
        ["hello,", "since yesterday", "honestly,", "as every evening", "on my new phone"],
        {
            "payment": ["you charged my card twice", "I want a refund", "the price is too high for me"],
            "adverts": ["the adverts are far too loud", "an advert after every song", "too many adverts"],
            "playback": ["the app crashes when I skip", "the sound stops", "the app won't open"],
            "praise": ["I love this service", "the best app for music", "wonderful, thank you all"],
        },
    ),
    "pl": (
        ["dzień dobry,", "od wczoraj", "szczerze mówiąc", "jak co wieczór", "na nowym telefonie"],
        {
            "payment": ["pobraliście opłatę z karty dwa razy", "proszę o zwrot", "cena jest za wysoka"],
            "adverts": ["reklamy są za głośne", "reklama po co drugiej piosence", "za dużo reklam"],
            "playback": ["aplikacja zawiesza się", "dźwięk znika po minucie", "aplikacja nie działa"],
            "praise": ["uwielbiam tę usługę", "najlepsza aplikacja do muzyki", "wspaniale, dziękuję wam"],
        },
    ),
    "pt": (
        ["bom dia,", "desde ontem", "sinceramente", "como todas as noites", "no telemóvel novo"],
        {
            "payment": ["cobraram o cartão duas vezes", "quero o reembolso", "o preço é muito alto"],
            "adverts": ["os anúncios são muito altos", "um anúncio depois de cada música", "tantos anúncios"],
            "playback": ["a aplicação fecha sozinha", "o áudio para", "a aplicação não abre"],
            "praise": ["adoro este serviço", "a melhor aplicação de música", "maravilhoso, obrigado"],
        },
    ),
}
SPAM = ["win a prize, click [link] now", "cheap followers here [link]", "ganhe dinheiro agora [link]"]


def texts(
    many: int, *, months: int = 6, seed: int = 1, labels: float = 0.8, spam: float = 0.1, first: date = FIRST
) -> pl.DataFrame:
    """Rows of `feedback`, and `truth_language`, `truth_queue`."""
    dice, rows = random.Random(seed), []
    for number in range(many):
        language = dice.choice(list(SAID))
        openings, by_queue = SAID[language]
        queue = dice.choice(list(by_queue))
        is_spam = dice.random() < spam
        text = dice.choice(SPAM) if is_spam else f"{dice.choice(openings)} {dice.choice(by_queue[queue])}"
        labelled = dice.random() < labels
        month = month_after(first, number % months)
        at = datetime(month.year, month.month, 1, tzinfo=UTC) + timedelta(minutes=dice.randrange(40_000))
        happy = queue == "praise"
        channel = dice.choice(["nps", "support", "comment"])
        rows.append(
            {
                "feedback_id": f"{seed}-{number:05d}",
                "feedback_time": at,
                "user_id": dice.randrange(many // 3 + 1),
                "channel": channel,
                "text": text,
                "score": dice.randint(9, 10) if happy else dice.randint(0, 7),
                "queue": queue if labelled and not is_spam else None,
                "spam": is_spam if labelled else None,
                "masked": int("[link]" in text),
                "feedback_month": date(at.year, at.month, 1),
                "truth_language": None if is_spam else language,
                "truth_queue": None if is_spam else queue,
            }
        )
    return pl.DataFrame(rows).with_columns(user_bucket(pl.col("user_id"), 2).alias("user_bucket"))


def put(lake: Lake, rows: pl.DataFrame) -> None:
    """Rows of `texts` appended to the lake's table."""
    names: Sequence[str] = [field.name for field in FEEDBACK.schema]
    lake.append(as_table(rows.select(names).to_dicts(), FEEDBACK), FEEDBACK)

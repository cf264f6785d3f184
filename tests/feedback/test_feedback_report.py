"""What the page counts, against DuckDB; intervals; examples; the page itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_spark.feedback.nps import nps_of
from pozytywka_spark.feedback.page import FEWEST_ANSWERS, Shown, render
from pozytywka_spark.feedback.report_work import (
    COUNTS,
    EXAMPLES,
    PURCHASES,
    TEXTS,
    USERS,
    CountAnswers,
    Part,
    Slice,
    SliceRows,
    answers_of,
    counts_of,
    examples_of,
    summed,
)
from tests.feedback import small_model
from tests.in_memory import MemoryTasks

START = datetime(2024, 1, 1, tzinfo=UTC)
WEIGH = {"weight": lambda item: 1, "named": lambda item: "a part"}


def signals(many: int = 400) -> pl.DataFrame:
    dice = np.random.default_rng(5)
    queues = ["payment", "adverts", "praise"]
    return pl.DataFrame(
        {
            "feedback_id": [f"f{n}" for n in range(many)],
            "feedback_time": [START + timedelta(hours=int(dice.integers(0, 5000))) for _ in range(many)],
            "user_id": dice.integers(0, 60, many),
            "channel": dice.choice(["nps", "support"], many),
            "language": dice.choice(["en", "pl"], many),
            "queue_best": dice.choice(queues, many),
            "queue": [queues[n % 3] if n % 4 else None for n in range(many)],
            "topic": ["refund" if n % 4 and n % 2 else None for n in range(many)],
            "spam": [n % 50 == 0 if n % 3 else None for n in range(many)],
            "text": [f"what number {n} has to say to the service" for n in range(many)],
            "score": [int(dice.integers(0, 11)) if n % 5 else None for n in range(many)],
        },
        schema_overrides={"score": pl.Int32, "feedback_time": pl.Datetime("us", "UTC")},
    )


def answers(many: int = 400) -> pl.DataFrame:
    """Rows of `feedback`: those that `signals` are of, of which one in seven has lost its text since, and
    half as many scores without words.
    """
    dice = np.random.default_rng(6)
    own = ["feedback_id", "feedback_time", "user_id", "channel", "text", "score"]
    texts = signals(many).select(own).with_row_index("n")
    gone = texts.with_columns(text=pl.when(pl.col("n") % 7 > 0).then("text"), spam=None).drop("n")
    scores = (
        signals(many // 2)
        .select(own)
        .with_columns(
            feedback_id="score-" + pl.col("feedback_id"),
            text=pl.lit(None, pl.String),
            score=pl.Series(dice.integers(0, 11, many // 2), dtype=pl.Int32),
            spam=pl.Series(dice.random(many // 2) < 0.1),
        )
    )
    return pl.concat([gone.cast({"spam": pl.Boolean}), scores])


USERS_ROWS = pl.DataFrame({"user_id": range(50), "city": [f"City {n % 3}" for n in range(50)]})
BOUGHT = pl.DataFrame(
    {"user_id": [*range(20), 0], "purchased_at": [START + timedelta(days=90)] * 20 + [START]},
    schema_overrides={"purchased_at": pl.Datetime("us", "UTC")},
)


def test_answers_are_counted_as_duckdb_counts_them_whatever_the_slices() -> None:
    told, written = signals().drop("text", "score"), answers()
    tasks = MemoryTasks()
    put = tasks.files.put_file
    parts = []
    for some in written.iter_slices(150):  # the last of them without any signals
        its = told.join(some, on="feedback_id", how="semi")
        parts.append(Part(TEXTS, (put(some, {}),), (put(its, {}),) if its.height else ()))
    assert not parts[-1].signals
    parts += [Part(USERS, (put(USERS_ROWS, {}),)), Part(PURCHASES, (put(BOUGHT, {}),))]
    unscored = signals(30).with_columns(feedback_id="new-" + pl.col("feedback_id"))
    parts.append(Part(TEXTS, (put(unscored.select(written.columns), {}),)))
    done = tasks.run(parts, SliceRows(3), **WEIGH)
    slices = [
        Slice(n, tuple(one for one in done.parcels if one.kind != EXAMPLES and one.key == (n,)))
        for n in range(3)
    ]
    found = summed(tasks.fetch(tasks.run(slices, CountAnswers(), **WEIGH).of(COUNTS)))
    whole = summed(counts_of(answers_of(written, told), USERS_ROWS, BOUGHT))
    assert all(found[name].equals(whole[name]) for name in whole)

    rows = duckdb.sql(  # noqa: F841 (read below)
        """select written.* exclude (spam), language, queue_best, queue, topic, told.feedback_id scored,
        case when told.feedback_id is null then written.spam else told.spam end spam
        from written left join told using (feedback_id)"""
    ).pl()
    sums = """count(scored)::bigint texts, count(*) filter (score >= 9)::bigint promoters,
        count(*) filter (score between 7 and 8)::bigint passives,
        count(*) filter (score <= 6)::bigint detractors, count(queue)::bigint routed"""
    bought = "(select user_id, min(purchased_at) bought from BOUGHT group by 1)"
    wanted = {
        "city": f"select city, {sums} from rows join USERS_ROWS using (user_id) where spam is not true",
        "channel": f"select channel, {sums} from rows where spam is not true",
        "queue": f"select queue_best, {sums} from rows where spam is not true and queue_best is not null",
        "purchase": f"""select case when bought is null then 'never' when feedback_time >= bought then 'after'
            else 'before' end, {sums} from rows left join {bought} using (user_id) where spam is not true""",
        "topic": f"""select queue || ' | ' || language || ' | ' || topic, {sums} from rows
            where spam is not true and topic is not null""",
    }
    for name, query in wanted.items():
        assert found[name].drop("spam").rows() == duckdb.sql(f"{query} group by 1 order by 1").fetchall(), (
            name
        )
    months = duckdb.sql(
        """select strftime(feedback_time at time zone 'UTC', '%Y-%m'), count(scored) filter (spam),
        count(*) filter (score <= 6 and spam is not true) from rows group by 1 order by 1"""
    ).fetchall()
    assert found["month"].select("value", "spam", "detractors").rows() == months


def test_without_users_and_purchases_nothing_is_said_of_them() -> None:
    found = summed(counts_of(answers_of(answers(50), signals(50).drop("text", "score")), None, None))
    assert [found[name].height for name in ("city", "purchase", "months from purchase")] == [0, 0, 0]
    page = render(Shown(found, examples_of(signals(50)), small_model.model(), ("en",)))
    assert "Nothing is known of purchases" in page


def test_the_page_shows_no_small_groups_and_is_the_same_each_time() -> None:
    few = USERS_ROWS.with_columns(
        city=pl.when(pl.col("user_id") == 7).then(pl.lit("Hamlet")).otherwise("city")
    )
    rows = signals()
    assert rows.filter(pl.col("user_id") == 7).height < FEWEST_ANSWERS
    found = summed(counts_of(answers_of(answers(), rows.drop("text", "score")), few, BOUGHT))
    shown = Shown(found, examples_of(rows), small_model.model(), ("en", "pl"))
    page = render(shown)
    assert page == render(shown)
    assert "Hamlet" not in page
    assert "City 1" in page
    assert "to say to the service" in page


def test_examples_are_the_same_few_of_detractors_whatever_the_order() -> None:
    rows = signals()
    found = examples_of(rows)
    assert found.equals(examples_of(rows.reverse()))
    assert found.group_by("queue").len().get_column("len").to_list() == [3, 3, 3]
    of_text = {row["text"]: row for row in rows.to_dicts()}
    for row in found.to_dicts():
        assert of_text[row["text"]]["score"] <= 6
        assert of_text[row["text"]]["queue"] == row["queue"]


@given(*[st.integers(0, 500)] * 3)
def test_nps_lies_within_its_interval_and_turns_with_its_sides(up: int, between: int, down: int) -> None:
    nps, turned = nps_of(up, between, down), nps_of(down, between, up)
    if not up + between + down:
        assert nps is None
        return
    assert nps is not None
    assert turned is not None
    assert -100 <= nps.low < nps.high <= 100
    assert (nps.low, nps.high) == (-turned.high, -turned.low)
    exact = 100 * (up - down) / (up + between + down)
    assert abs(nps.score - exact) <= 0.05 + 1e-9  # of -28.75 either neighbour is right


def test_intervals_cover_what_they_say() -> None:
    dice = np.random.default_rng(1)
    for shares, many in (((0.5, 0.3, 0.2), 40), ((0.8, 0.15, 0.05), 25), ((0.2, 0.2, 0.6), 200)):
        drawn = dice.multinomial(many, shares, 2000)
        true = 100 * (shares[0] - shares[2])
        inside = [one.low <= true <= one.high for one in (nps_of(*map(int, row)) for row in drawn) if one]
        assert 0.93 < np.mean(inside) < 0.985

"""Write a world: the raw delivery of an invented Pozytywka, made part by part, and its truth.

Beside the delivery `<path>` stands `<path>_truth`, which no stage of the pipeline reads:

- `people/`: each user's hidden traits, treatment in the experiment and fraud ring;
- `accounts/` and `chargebacks.jsonl`, in worlds with fraud: who cheats or only looks like it, in which time,
  with which tracks; and which purchases were charged back when;
- `ledger/`: one line a planted defect: entity, part, line, defect, what the line would have been;
- `surveys.jsonl` and `chances_2022-07-01/`, in worlds with taste: what people answered, and how likely each
  was to finish, skip, like a track, or play it again, after each cut-off asked for;
- `feedback/`, in worlds where people write: a line a text, what is true of it (`texts/messages.py`);
- `decisions_SLOT/` and `slots.json`, in worlds with slots, whose logs stand in `<path>_decisions`: what each
  eligible arm was worth in each decision, and what is true of arms;
- `expected.jsonl`, in worlds with rhythm or outages: the expected series by city and day (see `expected.py`);
- `purchases_30_days/`: how likely each purchase was (see `truth.py`), for each horizon asked for; not in
  worlds with slots, rhythm or outages.
"""

from __future__ import annotations

import json
from datetime import date
from operator import itemgetter

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.storage.folder import Folder
from pozytywka_spark.synthetic import tables
from pozytywka_spark.synthetic.each_part import Parts, rows_of, write_lines, write_parquet
from pozytywka_spark.synthetic.expected import expected_lines, is_expected
from pozytywka_spark.synthetic.life import plan_of
from pozytywka_spark.synthetic.parts import entities_of
from pozytywka_spark.synthetic.plan import Plan
from pozytywka_spark.synthetic.slots.write import decisions_path, write_logs
from pozytywka_spark.synthetic.summary import figures_of, write_figures
from pozytywka_spark.synthetic.taste.chances import cut_off_of

ACCOUNTS = "accounts"  # the folder of who cheats, in the truth
CHARGEBACKS = "chargebacks.jsonl"
SURVEYS = "surveys.jsonl"
EXPECTED = "expected.jsonl"
FEEDBACK = "feedback"  # the folder of what is true of texts, in the truth
STAMP = "_world.json"  # the underscore hides it from Spark's readers
HERE = 4  # so many chunks of users the process makes by itself: Spark's start alone takes as long


def truth_path(path: str) -> str:
    """Where the truth about the delivery at `path` stands."""
    return f"{path.rstrip('/')}_truth"


def purchases_path(path: str, horizon_days: int) -> str:
    """Where the true probabilities of a purchase within the horizon stand."""
    return f"{truth_path(path)}/purchases_{horizon_days}_days"


def chances_path(path: str, cut_off: date) -> str:
    """Where the true chances of the days after the cut-off stand."""
    return f"{truth_path(path)}/chances_{cut_off}"


def write_world(spark: SparkSession, settings: Settings, path: str, *, replace: bool = False) -> None:
    """Make the world of `settings.synthetic` at `path`: one folder of JSON Lines parts per entity.

    The process makes a small one by itself, one of more than `HERE` chunks Spark does.
    Does nothing if that very world is there already, and adds the truth about another horizon if
    only that is missing. Each folder appears complete or not at all.
    Raises `DataError` if another world is there, unless `replace`, or anything that is no world.
    """
    target, truth = Folder.at(path), Folder.at(truth_path(path))
    plan = plan_of(settings.synthetic)
    by = None if plan.chunks <= HERE else spark
    if not _is_made(target, truth, plan, path, replace=replace):
        _make(by, plan, target, truth, Folder.at(decisions_path(path)))
    slots = plan.world.slots
    # what prompts and days do is no part of that law
    if not (slots.messages or slots.spotlight or is_expected(plan)):
        _tell_purchases(by, plan, settings, Folder.at(purchases_path(path, settings.label.horizon_days)))
    if plan.world.taste.on and not is_expected(plan):
        _tell_chances(by, plan, Folder.at(chances_path(path, cut_off_of(plan))))


def make_embedded_world(spark: SparkSession, settings: Settings) -> bool:
    """Where `raw.path` names no delivery: make the embedded Pozytywka's in its place; whether that is so."""
    if settings.raw.path is not None:
        return False
    write_world(spark, settings, settings.raw_path)
    return True


def _is_made(target: Folder, truth: Folder, plan: Plan, path: str, *, replace: bool) -> bool:
    """Whether the world is there and may stay. Raises `DataError` if something else is in the way."""
    if target.is_empty():
        return False
    stamp = target.read(STAMP)
    if stamp is None:
        # never deleted, whatever was asked: it may be somebody's only copy of a real delivery
        raise DataError(f"{path} holds something that synthesize did not make: choose another folder")
    if stamp != plan.stamp() and not replace:
        raise DataError(
            f"{path} holds a world of other settings: choose another folder, or synthesize with --replace"
        )
    # a run killed while it replaced a world may have left the one's delivery beside the other's truth
    return stamp == truth.read(STAMP) == plan.stamp() and not replace


def _make(spark: SparkSession | None, plan: Plan, target: Folder, truth: Folder, decisions: Folder) -> None:
    """Everything but the purchases' probabilities, under temporary names and then put in place."""
    making, making_truth = target.sibling(".making"), truth.sibling(".making")
    making.delete()
    making_truth.delete()
    for entity in entities_of(plan):
        write_lines(spark, tables.lines(plan, entity), making, entity)
    write_lines(spark, tables.people(plan).as_lines(), making_truth, "people")
    write_lines(spark, tables.ledger(plan).as_lines(), making_truth, "ledger")
    _tell_accounts(spark, plan, making_truth)
    _tell_surveys(spark, plan, making_truth)
    if plan.world.feedback.rate:
        write_lines(spark, tables.texts(plan), making_truth, FEEDBACK)
    write_logs(spark, plan, decisions, making_truth)
    if is_expected(plan):
        making_truth.write(EXPECTED, expected_lines(spark, plan))
    write_figures(making, figures_of(spark, plan))
    # The truth goes first: a delivery in place always has its own truth beside it.
    for folder, place in ((making_truth, truth), (making, target)):
        folder.write(STAMP, plan.stamp())
        folder.move_to(place)


def _tell_accounts(spark: SparkSession | None, plan: Plan, truth: Folder) -> None:
    """Who cheats, and the chargebacks (as many as `synthetic.fraud.quick_buyers` at most) as one file."""
    if not plan.world.fraud.rings and not plan.world.fraud.lone:
        return
    write_lines(spark, tables.accounts(plan).as_lines(), truth, ACCOUNTS)
    charged = rows_of(spark, tables.chargebacks(plan)).to_pylist()
    truth.write(CHARGEBACKS, _in_order(charged, "charged_back_at", "user_id"))


def _tell_surveys(spark: SparkSession | None, plan: Plan, truth: Folder) -> None:
    """Answers, `synthetic.taste.surveys` at most, as one file."""
    if not plan.world.taste.on:
        return
    answers = rows_of(spark, tables.surveys(plan)).to_pylist()
    truth.write(SURVEYS, _in_order(answers, "user_id", "asked_at", "track_id"))


def _in_order(rows: list[dict[str, object]], *by: str) -> str:
    """A line a row."""
    return "".join(f"{json.dumps(row)}\n" for row in sorted(rows, key=itemgetter(*by)))


def _tell_chances(spark: SparkSession | None, plan: Plan, place: Folder) -> None:
    """The true chances for one cut-off, unless they stand there already."""
    stamp = json.dumps({"paths": plan.world.taste.paths, "told": plan.world.taste.told})
    if place.read(STAMP) == stamp:
        return
    _put(spark, tables.chances(plan), place, stamp)


def _tell_purchases(spark: SparkSession | None, plan: Plan, settings: Settings, place: Folder) -> None:
    """The true probabilities for one horizon, unless they stand there already or aren't wanted."""
    paths = settings.synthetic.truth_paths
    stamp = json.dumps({"truth_paths": paths})
    if paths == 0 or place.read(STAMP) == stamp:
        return
    _put(spark, tables.purchases(plan, settings.label.horizon_days, paths), place, stamp)


def _put(spark: SparkSession | None, rows: Parts, place: Folder, stamp: str) -> None:
    """Rows as Parquet and the stamp, under a temporary name and then in place."""
    making = place.sibling(".making")
    making.delete()
    write_parquet(spark, rows, making)
    making.write(STAMP, stamp)
    making.move_to(place)

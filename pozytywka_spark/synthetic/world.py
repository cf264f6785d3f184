"""Write a world: the raw delivery of an invented Pozytywka, made by Spark part by part, and its truth.

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

from pyspark.sql import DataFrame, SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.storage.folder import Folder
from pozytywka_spark.synthetic import tables
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

    Does nothing if that very world is there already, and adds the truth about another horizon if
    only that is missing. Each folder appears complete or not at all.
    Raises `DataError` if another world is there, unless `replace`, or anything that is no world.
    """
    target, truth = Folder.at(path), Folder.at(truth_path(path))
    plan = plan_of(settings.synthetic)
    if not _is_made(target, truth, plan, path, replace=replace):
        _make(spark, plan, target, truth, Folder.at(decisions_path(path)))
    slots = plan.world.slots
    # what prompts and days do is no part of that law
    if not (slots.messages or slots.spotlight or is_expected(plan)):
        _tell_purchases(spark, plan, settings, Folder.at(purchases_path(path, settings.label.horizon_days)))
    if plan.world.taste.on and not is_expected(plan):
        _tell_chances(spark, plan, Folder.at(chances_path(path, cut_off_of(plan))))


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


def _make(spark: SparkSession, plan: Plan, target: Folder, truth: Folder, decisions: Folder) -> None:
    """Everything but the purchases' probabilities, under temporary names and then put in place."""
    making, making_truth = target.sibling(".making"), truth.sibling(".making")
    making.delete()
    making_truth.delete()
    for entity in entities_of(plan):
        tables.lines(spark, plan, entity).write.text(making.child(f"_{entity}").uri)
        making.adopt_parts(f"_{entity}", entity, "jsonl")
    tables.people(spark, plan).write.json(making_truth.child("_people").uri)
    making_truth.adopt_parts("_people", "people", "jsonl")
    tables.ledger(spark, plan).write.json(making_truth.child("_ledger").uri)
    making_truth.adopt_parts("_ledger", "ledger", "jsonl")
    _tell_accounts(spark, plan, making_truth)
    _tell_surveys(spark, plan, making_truth)
    if plan.world.feedback.rate:
        tables.texts(spark, plan).write.text(making_truth.child("_feedback").uri)
        making_truth.adopt_parts("_feedback", FEEDBACK, "jsonl")
    write_logs(spark, plan, decisions, making_truth)
    if is_expected(plan):
        making_truth.write(EXPECTED, expected_lines(spark, plan))
    write_figures(making, figures_of(spark, plan))
    # The truth goes first: a delivery in place always has its own truth beside it.
    for folder, place in ((making_truth, truth), (making, target)):
        folder.write(STAMP, plan.stamp())
        folder.move_to(place)


def _tell_accounts(spark: SparkSession, plan: Plan, truth: Folder) -> None:
    """Who cheats, and the chargebacks (as many as `synthetic.fraud.quick_buyers` at most) as one file."""
    if not plan.world.fraud.rings and not plan.world.fraud.lone:
        return
    accounts = tables.accounts(spark, plan)
    accounts.write.json(truth.child("_accounts").uri)
    truth.adopt_parts("_accounts", ACCOUNTS, "jsonl")
    charged = accounts.where("charged_back_at is not null").select("user_id", "bought_at", "charged_back_at")
    in_order = sorted(charged.collect(), key=itemgetter("charged_back_at", "user_id"))
    lines = [json.dumps(row.asDict()) for row in in_order]
    truth.write(CHARGEBACKS, "".join(f"{line}\n" for line in lines))


def _tell_surveys(spark: SparkSession, plan: Plan, truth: Folder) -> None:
    """Answers, `synthetic.taste.surveys` at most, as one file."""
    if not plan.world.taste.on:
        return
    rows = sorted(tables.surveys(spark, plan).collect(), key=itemgetter("user_id", "asked_at", "track_id"))
    truth.write(SURVEYS, "".join(f"{json.dumps(row.asDict())}\n" for row in rows))


def _tell_chances(spark: SparkSession, plan: Plan, place: Folder) -> None:
    """The true chances for one cut-off, unless they stand there already."""
    stamp = json.dumps({"paths": plan.world.taste.paths, "told": plan.world.taste.told})
    if place.read(STAMP) == stamp:
        return
    _put(tables.chances(spark, plan), place, stamp)


def _tell_purchases(spark: SparkSession, plan: Plan, settings: Settings, place: Folder) -> None:
    """The true probabilities for one horizon, unless they stand there already or aren't wanted."""
    paths = settings.synthetic.truth_paths
    stamp = json.dumps({"truth_paths": paths})
    if paths == 0 or place.read(STAMP) == stamp:
        return
    _put(tables.purchases(spark, plan, settings.label.horizon_days, paths), place, stamp)


def _put(rows: DataFrame, place: Folder, stamp: str) -> None:
    """Rows as Parquet and the stamp, under a temporary name and then in place."""
    making = place.sibling(".making")
    making.delete()
    rows.write.parquet(making.child("_written").uri)
    making.adopt_parts("_written", "", "parquet")
    making.write(STAMP, stamp)
    making.move_to(place)

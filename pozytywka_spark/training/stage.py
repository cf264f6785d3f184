"""Features and labels -> a trained, measured, logged, registered model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.sql import SparkSession

from pozytywka_spark.config import Settings
from pozytywka_spark.dataset.prepare import Prepared, pin
from pozytywka_spark.dataset.questions import Asked, Later
from pozytywka_spark.dataset.splits import describe, diagram
from pozytywka_spark.dataset.table_job import Laid, table_to_ask, training_table
from pozytywka_spark.dossier.model_sections import worst_in_words
from pozytywka_spark.dossier.publish import FACTS, PAGE
from pozytywka_spark.errors import require
from pozytywka_spark.evaluation import decisions, explanation
from pozytywka_spark.evaluation.trees_or_logistic import CHOSEN_ON_TEST, as_plain, verdict_text
from pozytywka_spark.features.declared.catalogue import declared_for
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.models.names import IN_WORDS
from pozytywka_spark.names import TEST, TRAIN
from pozytywka_spark.promotion.aliases import set_aliases
from pozytywka_spark.reports.notebook import card
from pozytywka_spark.spark import resources
from pozytywka_spark.tracking import registry, runs
from pozytywka_spark.tracking.inputs import log_inputs
from pozytywka_spark.tracking.sources import training_inputs
from pozytywka_spark.tracking.store import Tracking, connect
from pozytywka_spark.training import dossier_data, earlier_trainings, log_training
from pozytywka_spark.training.ahead import libraries_loading
from pozytywka_spark.training.fit_and_measure import fit_models, grow_across, held_rows, measure
from pozytywka_spark.training.guard_shuffled_labels import check_shuffled
from pozytywka_spark.training.stability import folds_begun, stability_meanwhile
from pozytywka_spark.training.tuning.folds import Final, Fit
from pozytywka_spark.training.tuning.search import fold_fits, search
from pozytywka_spark.training.tuning.tune import with_parameters

_BYTES_A_CELL = 4


@dataclass(frozen=True)
class TrainingReport:
    """What was trained and where it is. `models` has a row a model with the same metrics of the test rows,
    `verdict` says whether the trees beat logistic regression, `decisions` has a row a rule of addressing
    users, `tuning` one row about the search (none without one), `page` is where the dossier lies."""

    split: Sequence[Mapping[str, Any]]
    diagram: Sequence[str]
    notes: Sequence[str]
    models: Sequence[Mapping[str, Any]]
    verdict: str
    decisions: Sequence[Mapping[str, Any]]
    tuning: Sequence[Mapping[str, Any]]
    model_name: str
    model_kind: str
    version: int
    champion: int
    run_id: str
    tracking_uri: str
    reused: bool
    page: str = ""

    def _repr_html_(self) -> str:
        title = f"model {self.model_name} version {self.version} (champion: version {self.champion})"
        tables = {"models on the test months": self.models, "whom to address": self.decisions}
        return card(title, tables, [self.model_kind, self.verdict, *self.notes], self.page)


def train(spark: SparkSession, settings: Settings, lake: Lake, *, force: bool = False) -> TrainingReport:
    """Train the three models on the time split, measure them on the test months, register one.

    The trees are registered; with `training.prefer_simple` logistic regression is where they don't beat it
    beyond noise.

    The same rows, features, settings and code trained before are not trained again (unless `force`).
    The first model is the champion; a later one becomes it by the gate. Raises `DataError` for a
    missing table or too few positives, `GuardError` on leakage, `TrackingError` if MLflow can't be
    reached.
    """
    if settings.tuning.enabled:
        require("tuning")
    pinned = pin(settings, lake)
    tracking = connect(settings)  # before the work, not after it
    earlier = None if force else earlier_trainings.recalled(tracking, pinned, settings)
    if earlier is not None:
        version, prepared = earlier
        with Later(partial(table_to_ask, pinned, settings, lake)) as asked:
            return _settled(tracking, version, prepared, asked, settings, reused=True)
    with libraries_loading(), training_table(pinned, settings, lake) as laid:
        known_version = None if force else _known(tracking, laid.prepared, settings)
        version = known_version or _train(spark, laid, settings, lake, tracking)
        reused = known_version is not None
        return _settled(tracking, version, laid.prepared, laid.asked, settings, reused=reused)


def _settled(
    tracking: Tracking,
    version: registry.Version,
    prepared: Prepared,
    asked: Asked,
    settings: Settings,
    *,
    reused: bool,
) -> TrainingReport:
    settled = set_aliases(tracking, version, asked, settings, versions=prepared.by_version)
    return _report(prepared, settings, tracking, version, settled.champion, settled.reasons, reused)


def _train(
    spark: SparkSession, laid: Laid, settings: Settings, lake: Lake, tracking: Tracking
) -> registry.Version:
    prepared = laid.prepared
    size = (prepared.sizes[TRAIN][0], len(prepared.order))
    cluster, whole = resources.describe_cluster(spark), prepared.share == 1
    plan = resources.plan(*size, cluster, settings.training.num_workers, in_memory=whole)
    side_by_side = _fits_share_this_process(prepared, settings)
    if side_by_side:
        plan = resources.beside_folds(plan, len(prepared.folds), cluster)
    guard = check_shuffled(laid.asked, prepared.order, settings)
    fits = fold_fits(laid.asked, prepared, plan, cluster, settings)
    runs.close_abandoned(tracking, registry.INPUTS, prepared.inputs)
    tags = log_training.tags(prepared, settings, lake.root)
    with runs.run(tracking, log_training.name(prepared, settings), tags=tags) as parent:
        log_inputs(tracking, parent, training_inputs(prepared, settings, lake))
        log_training.log_inputs(tracking, parent, prepared, settings, plan, guard.checked)
        tuned = search(tracking, parent, prepared, settings, fits)
        log_training.log_tuned(tracking, parent, tuned.parameters if tuned else {})
        final = with_parameters(settings, tuned.parameters) if tuned else settings
        across = partial(grow_across, laid.plan.pinned, prepared, final, plan, lake)
        # of logistic regression nobody asks whether its reasons hold
        early = side_by_side and not settings.training.prefer_simple
        begun = folds_begun(prepared, final, fits.explained) if early else nullcontext(fits.explained)
        with begun as explained_fits:
            fitted = fit_models(laid.asked, across, prepared, final, plan)
            measured = measure(laid.asked, fitted.models, final, rows=held_rows(prepared))
            model = fitted.models[measured.chosen]
            test_rows = prepared.sizes[TEST][0]
            explained = explanation.explain_model(laid.asked, test_rows, model, final, threads=plan.threads)
            grown = None if plan.across else Final(Fit(final, prepared.split), fitted.trees, plan.threads)
            with stability_meanwhile(model, prepared, explained, final, explained_fits(grown)) as holds:
                logged = log_training.log_models(tracking, parent, prepared, fitted, measured)
        content = {
            "data": dossier_data.data_facts(prepared, settings),
            "made": dossier_data.model_facts(final, plan, fitted.trees, model, tuned),
            **dossier_data.measured_facts(measured.models, measured.slices),
            "verdict": as_plain(measured.verdict),
            "decisions": decisions.decision_table(measured.counts, final),
            "explained": explanation.with_meanings(explained, declared_for(settings)),
            "stability": holds(),
            "guards": [guard.checked],
            "remarks": log_training.notes(prepared, settings),
            "run": parent,
        }
        runs.log_json(tracking, parent, content, FACTS)  # the page is made of it once the gate has decided
    # after the run has ended well: a run killed on the way leaves nothing in the registry
    return _register(tracking, parent, logged, prepared, settings)


def _fits_share_this_process(prepared: Prepared, settings: Settings) -> bool:
    """Whether the table is so small that this process works on it, if it is the tasks' machine."""
    cells = sum(rows for rows, _ in prepared.sizes.values()) * len(prepared.order)
    return cells * _BYTES_A_CELL <= settings.training.small_table_mb << 20


def _known(tracking: Tracking, prepared: Prepared, settings: Settings) -> registry.Version | None:
    """The version of these inputs; a run that ended well but came no further is registered now."""
    version = registry.find_version(tracking, prepared.inputs)
    if version is not None:
        return version
    logged = registry.find_logged(tracking, prepared.inputs)
    if logged is None:
        return None
    return _register(tracking, logged[0], log_training.LoggedModel(**logged[1]), prepared, settings)


def _register(
    tracking: Tracking, parent: str, logged: log_training.LoggedModel, prepared: Prepared, settings: Settings
) -> registry.Version:
    tags = log_training.version_tags(parent, prepared, settings, logged.kind)
    return registry.register(tracking, logged.run_id, (logged.model_id, logged.source), tags)


def _report(
    prepared: Prepared,
    settings: Settings,
    tracking: Tracking,
    version: registry.Version,
    champion: int,
    reasons: Sequence[str],
    reused: bool,
) -> TrainingReport:
    unchanged = (
        f"version {version.number} was trained on the same inputs: nothing to do (--force trains again)"
    )
    content = runs.read_json(tracking, version.training_run, FACTS)
    return TrainingReport(
        split=describe(prepared.split, prepared.counts),
        diagram=diagram(prepared.split, prepared.folds),
        notes=[
            *([unchanged] if reused else []),
            f"planner: {content['made']['planner']}",
            *([CHOSEN_ON_TEST] if settings.training.prefer_simple else []),
            worst_in_words(content["slices"], content["made"]["least"]),
            *_tuned_in_words(content["made"]["tuning"]),
            *log_training.notes(prepared, settings),
            *reasons,
        ],
        models=log_training.table(runs.children(tracking, version.training_run)),
        verdict=verdict_text(content["verdict"], prefer_simple=settings.training.prefer_simple),
        decisions=decisions.for_console(content["decisions"]),
        tuning=_tuning(content["made"]["tuning"]),
        model_name=tracking.model_name,
        model_kind=IN_WORDS[content["made"]["kind"]],
        version=version.number,
        champion=champion,
        run_id=version.training_run,
        tracking_uri=tracking.uri,
        reused=reused,
        page=runs.place_of(tracking, version.training_run, PAGE),
    )


def _tuning(tuned: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """One row about the search."""
    if tuned is None:
        return []
    states = [trial["state"] for trial in tuned["trials"]]
    return [
        {
            "trials": len(states),
            "pruned": states.count("pruned"),
            "log loss before": tuned["default_log_loss"],
            "log loss after": tuned["log_loss"],
        }
    ]


def _tuned_in_words(tuned: Mapping[str, Any] | None) -> list[str]:
    """The parameters that the search found, one note."""
    if tuned is None:
        return []
    return [
        "tuned: " + ", ".join(f"{name}={value:.4g}" for name, value in sorted(tuned["parameters"].items()))
    ]

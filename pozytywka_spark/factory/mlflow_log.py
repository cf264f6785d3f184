"""What a build leaves in MLflow: one run, and one below it for each of the first groups that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pozytywka_spark.config import Settings
from pozytywka_spark.factory.boosters import MODELS, PickModels
from pozytywka_spark.factory.inputs import READ
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.data_files import data_files
from pozytywka_spark.schemas import FACTORY_BOOSTERS
from pozytywka_spark.tracking import runs
from pozytywka_spark.tracking.inputs import log_inputs
from pozytywka_spark.tracking.notes import KIND
from pozytywka_spark.tracking.sources import table_inputs
from pozytywka_spark.tracking.store import connect

BUILD = "pozytywka.factory_build"
KINDS = ("factory", "factory group")  # of runs: a build, a group of it
CHILDREN = 50


def log_build(
    settings: Settings,
    lake: Lake,
    build_id: str,
    pinned: Mapping[str, Any],
    told: Sequence[Mapping[str, Any]],
) -> str:
    """The run of the build; the one there is, if it was logged before.

    Runs of builds that were killed while they were logged are ended as KILLED.
    """
    tracking = connect(settings)
    there = runs.find_tagged(tracking, BUILD, build_id)
    if there and (found := runs.find(tracking, there)) is not None and found.info.status == "FINISHED":
        return there
    for kind in KINDS:
        runs.close_abandoned(tracking, KIND, kind)
    kept = [line for line in told if any(proof["threshold"] is not None for proof in line["proofs"])]
    sides = [proof for line in told for proof in line["proofs"]]
    name = f"factory {build_id[:8]}"
    with runs.run(tracking, name, tags={KIND: KINDS[0], BUILD: build_id}) as run_id:
        if isinstance(pinned["inputs"], dict):
            log_inputs(tracking, run_id, table_inputs(lake, READ, "factory"))
        counts = {"groups": len(told), "kept_groups": len(kept)}
        counts["kept_sides"] = sum(proof["threshold"] is not None for proof in sides)
        runs.log(
            tracking,
            run_id,
            params={"build_id": build_id, "at": pinned["at"], "trials": pinned["trials"]},
            metrics={key: float(value) for key, value in counts.items()},
        )
        runs.log_json(tracking, run_id, dict(pinned), "inputs.json")
        models = _models(lake, build_id, [line["group"] for line in kept[:CHILDREN]])
        for line in kept[:CHILDREN]:
            tags = {KIND: KINDS[1], "pozytywka.group": str(line["group"])}
            with runs.run(tracking, str(line["group"]), tags=tags, parent=run_id) as child:
                metrics = dict(line["facts"])
                for proof in line["proofs"]:
                    for key in ("tested", "wrong", "precision_low", "coverage"):
                        metrics[f"{proof['side']}.{key}"] = float(proof[key])
                params = {f"{proof['side']}.reason": proof["reason"] for proof in line["proofs"]}
                runs.log(tracking, child, params=params, metrics=metrics)
                if models.get(str(line["group"])):
                    runs.log_text(tracking, child, models[str(line["group"])], "booster.json")
    return run_id


def _models(lake: Lake, build_id: str, groups: Sequence[str]) -> dict[str, str]:
    """The boosters of some groups, those alone."""
    if not groups or not lake.exists(FACTORY_BOOSTERS.name):
        return {}
    with lake.tasks() as tasks:
        places = data_files(lake, tasks, FACTORY_BOOSTERS.name, partitions=[{"build_id": build_id}])
        work = PickModels(tuple((build_id, group) for group in groups))
        done = tasks.run(
            [places], work, weight=lambda each: sum(file.size for file in each), named=lambda _: "boosters"
        )
        return dict(tasks.fetch(done.of(MODELS)).iter_rows()) if done.parcels else {}

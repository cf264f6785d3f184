"""Run by an Airflow's own Python, in an environment without this project: what it reads in DAG files."""

import json
import logging
import sys

from airflow.dag_processing.dagbag import DagBag


def main(folder: str) -> None:
    """One JSON line: import errors, DAGs, tasks in their order with those they follow, modules of ours."""
    logging.disable()
    bag = DagBag(folder)
    said: dict[str, object] = {"errors": dict(bag.import_errors), "dags": sorted(bag.dags)}
    for dag in bag.dags.values():
        said["tasks"] = [task.task_id for task in dag.topological_sort()]
        said["follows"] = {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}
        said["ours"] = sorted(name for name in sys.modules if name.partition(".")[0] == "pozytywka_spark")
    print(json.dumps(said))


main(sys.argv[1])

"""What reads texts: linear models, the bins from which on they are believed, topics; as plain files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from pozytywka_spark.feedback.bins import Cut
from pozytywka_spark.feedback.labels import LEARNT
from pozytywka_spark.feedback.linear import Linear, linear_of, loaded, saved
from pozytywka_spark.feedback.ngrams import Weights
from pozytywka_spark.feedback.topics import Topic
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import TaskFiles, Tasks

ABOUT = "about.json"
FILES = "feedback_model"  # kind of a parcel: the files of a model
_MODEL_ID, _NGRAMS = "model_id", "ngrams.npy"
FORMAT = 2  # of files and of what n-grams are


@dataclass(frozen=True)
class Model:
    """`learnt`: a model of each task that had labels enough; `ngrams`: weights of n-grams. `route`, `spam`,
    `ham`: from which bin of their chance on texts get their queue, are called spam and are called none; None
    where validation showed no such bin. `topics` of each queue.
    """

    learnt: Mapping[str, Linear]
    ngrams: Weights
    route: Cut | None = None
    spam: Cut | None = None
    ham: Cut | None = None
    topics: tuple[Topic, ...] = ()
    model_id: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """All of it but `model_id`, without pickle."""
        found = {_NGRAMS: saved(self.ngrams)}
        for task, one in self.learnt.items():
            found |= one.files(task)
        cuts = {name: None if cut is None else asdict(cut) for name, cut in self.cuts().items()}
        content = {
            "format": FORMAT,
            "learnt": {task: one.about() for task, one in self.learnt.items()},
            "cuts": cuts,
            "topics": [asdict(topic) for topic in self.topics],
            **self.about,
        }
        return {**found, ABOUT: json.dumps(content, indent=1, sort_keys=True).encode()}

    def cuts(self) -> dict[str, Cut | None]:
        """By name."""
        return {"route": self.route, "spam": self.spam, "ham": self.ham}


def model_of(files: Mapping[str, bytes], model_id: str = "") -> Model:
    """Back from `files`."""
    about = json.loads(files[ABOUT])
    cuts = {name: None if cut is None else Cut(**cut) for name, cut in about.pop("cuts").items()}
    learnt = about.pop("learnt")
    models = {task: linear_of(task, learnt[task], files) for task in LEARNT if task in learnt}
    topics = tuple(Topic.of(one) for one in about.pop("topics"))
    about.pop("format")
    return Model(
        models, loaded(files[_NGRAMS]), cuts["route"], cuts["spam"], cuts["ham"], topics, model_id, about
    )


def put(tasks: Tasks, model: Model) -> Parcel:
    """The model as a parcel for tasks."""
    files = {**model.files(), _MODEL_ID: model.model_id.encode()}
    return tasks.put(FILES, pl.DataFrame({"name": list(files), "content": list(files.values())}))


def taken(files: TaskFiles, parcel: Parcel) -> Model:
    """The model of a parcel."""
    content = dict(files.shared([parcel]).select("name", "content").iter_rows())
    model_id = content.pop(_MODEL_ID).decode()
    return model_of(content, model_id)

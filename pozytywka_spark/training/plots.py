"""Figures of the dossier, from plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from pozytywka_spark.training.splits import TEST, TRAIN, VALIDATION

COLOURS = {
    "majority": "#8a94a6",
    "logistic": "#a15c00",
    "xgboost": "#2563a8",
    "xgboost-uncalibrated": "#9bbbe0",
}
_SIDES = {TRAIN: "#2563a8", VALIDATION: "#a15c00", TEST: "#1b7f4b"}
Models = Mapping[str, Mapping[str, Any]]


def split_plot(bars: Mapping[str, Mapping[str, Sequence[str]]], months: Sequence[str]) -> Figure:
    """A line a split or fold, a box a month, coloured by side; `bars` maps its name to sides' months."""
    figure = Figure(figsize=(9, 0.5 + 0.4 * len(bars)))
    axes = figure.subplots()
    for line, (_, sides) in enumerate(bars.items()):
        for side, members in sides.items():
            for month in members:
                axes.barh(line, 0.94, left=months.index(month), color=_SIDES[side])
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set_xticks([place + 0.47 for place in range(len(months))], months, rotation=90, fontsize=7)
    axes.invert_yaxis()
    for place, (side, colour) in enumerate(_SIDES.items()):
        axes.text(place * 0.12, 1.04, f"■ {side}", color=colour, transform=axes.transAxes, fontsize=8)
    return _plain(figure)


def gain_plot(models: Models) -> Figure:
    """Share of users taken from the top against the share of all buyers among them."""
    figure, axes = _one()
    for name, entry in models.items():
        if entry["curve"] and name in ("majority", "logistic", "xgboost"):
            shares = [0.0, *(point["share"] for point in entry["curve"])]
            axes.plot(
                shares, [0.0, *(point["recall"] for point in entry["curve"])], color=COLOURS[name], label=name
            )
    axes.set(
        xlabel="share of users, best scores first", ylabel="share of buyers found", xlim=(0, 1), ylim=(0, 1)
    )
    axes.legend(frameon=False)
    return _plain(figure)


def lift_plot(models: Models) -> Figure:
    """Share of users taken from the top against how many times more buyers are among them than by chance."""
    figure, axes = _one()
    for name, entry in models.items():
        if entry["curve"] and name in ("majority", "logistic", "xgboost"):
            lifts = [point["recall"] / point["share"] for point in entry["curve"]]
            axes.plot([point["share"] for point in entry["curve"]], lifts, color=COLOURS[name], label=name)
    axes.set(xlabel="share of users, best scores first", ylabel="lift", xlim=(0, 1))
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return _plain(figure)


def months_plot(months: Sequence[Mapping[str, Any]]) -> Figure:
    """Rows of each month as bars, the share of buyers as a line."""
    figure = Figure(figsize=(9, 2.6))
    axes = figure.subplots()
    names = [row["month"] for row in months]
    axes.bar(names, [row["rows"] for row in months], color="#e1e5ec")
    axes.set_ylabel("rows", color="#5b6577")
    axes.tick_params(axis="x", rotation=90, labelsize=7)
    shares = axes.twinx()
    rates = [100 * row["positives"] / row["rows"] if row["rows"] else 0.0 for row in months]
    shares.plot(names, rates, "o-", color=COLOURS["xgboost"], markersize=3)
    shares.set_ylabel("buyers, %", color=COLOURS["xgboost"])
    shares.set_ylim(bottom=0)
    axes.spines[["top"]].set_visible(False)
    shares.spines[["top"]].set_visible(False)
    return figure


def loss_plot(made: Mapping[str, Any]) -> Figure:
    """Log loss of train and validation by tree; a line where the model was cut."""
    figure, axes = _one()
    axes.plot(made["train_loss"], color=_SIDES[TRAIN], label="train")
    axes.plot(made["validation_loss"], color=_SIDES[VALIDATION], label="validation")
    axes.axvline(made["trees"] - 1, color="#5b6577", linewidth=0.8, linestyle="--")
    axes.set(xlabel="tree", ylabel="log loss", title=f"{made['trees']} of {made['trees_tried']} trees kept")
    axes.title.set_fontsize(9)
    axes.legend(frameon=False)
    return _plain(figure)


def precision_recall_plot(models: Models) -> Figure:
    """Precision against recall at growing shares of users."""
    figure, axes = _one()
    for name, entry in models.items():
        if entry["curve"] and name in ("majority", "logistic", "xgboost"):
            recall = [point["recall"] for point in entry["curve"]]
            axes.plot(
                recall, [point["precision"] for point in entry["curve"]], color=COLOURS[name], label=name
            )
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1))
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return _plain(figure)


def reliability_plot(models: Models, kind: str) -> Figure:
    """Predicted against observed rate over ten bins of equal size: the trees uncalibrated too."""
    figure, axes = _one()
    highest = 0.0
    for name in dict.fromkeys(("xgboost-uncalibrated", "xgboost", kind)):
        bins = models[name]["reliability"]
        predicted, observed = [row["predicted"] for row in bins], [row["observed"] for row in bins]
        highest = max([highest, *predicted, *observed])
        axes.plot(predicted, observed, "o-", color=COLOURS[name], label=name)
    axes.plot([0, highest], [0, highest], color="#5b6577", linewidth=0.8, linestyle="--")
    axes.set(xlabel="predicted probability", ylabel="share that bought")
    axes.legend(frameon=False)
    return _plain(figure)


def importance_plot(rows: Sequence[Mapping[str, Any]], top: int = 15) -> Figure:
    """Mean strength of the strongest features."""
    chosen = list(rows[:top])
    figure = Figure(figsize=(7, 0.6 + 0.28 * len(chosen)))
    axes = figure.subplots()
    axes.barh(range(len(chosen)), [row["strength"] for row in chosen], color=COLOURS["xgboost"])
    axes.set_yticks(range(len(chosen)), [row["feature"] for row in chosen], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("mean absolute contribution, log-odds")
    return _plain(figure)


def _one() -> tuple[Figure, Any]:
    figure = Figure(figsize=(5.6, 4))
    return figure, figure.subplots()


def _plain(figure: Figure) -> Figure:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure

"""Linear models of hashed n-grams: margins, chances and files, all plain numbers."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float64]
_LARGEST = 30.0  # a margin beyond it is as good as certain, and its exponent still a number


@dataclass(frozen=True)
class Linear:
    """`weights`: a row a column of `ngrams.rows_of`; of two classes one column, of the second, else one a
    class, as is `intercepts`. Margins are divided by `temperature`, and of two classes `offset` is added,
    which makes chances true of texts that the model didn't learn from (Guo et al. 2017; Platt 1999).
    """

    classes: tuple[str, ...]
    weights: npt.NDArray[np.float32]
    intercepts: npt.NDArray[np.float32]
    temperature: float = 1.0
    offset: float = 0.0

    def margins(self, rows: csr_matrix) -> Floats:
        """Before the temperature; a column a class, or one of two classes."""
        return np.asarray(rows @ self.weights + self.intercepts, dtype=np.float64)

    def chances(self, rows: csr_matrix) -> Floats:
        """A row a text, a column a class; each row's sum is 1."""
        return chances_of(self.margins(rows), self.temperature, self.offset)

    def files(self, name: str) -> dict[str, bytes]:
        """The weights, without pickle."""
        return {
            f"{name}.weights.npy": saved(self.weights),
            f"{name}.intercepts.npy": saved(self.intercepts),
        }

    def about(self) -> dict[str, Any]:
        """What isn't in `files`."""
        return {"classes": list(self.classes), "temperature": self.temperature, "offset": self.offset}


def linear_of(name: str, about: Mapping[str, Any], files: Mapping[str, bytes]) -> Linear:
    """Back from `files` and `about`."""
    weights, intercepts = (loaded(files[f"{name}.{part}.npy"]) for part in ("weights", "intercepts"))
    temperature, offset = float(about["temperature"]), float(about["offset"])
    return Linear(tuple(about["classes"]), weights, intercepts, temperature, offset)


def chances_of(margins: Floats, temperature: float, offset: float = 0.0) -> Floats:
    """Softmax, of one column the logistic function, which alone knows an offset.

    >>> chances_of(np.array([[0.0]]), 1.0).tolist()
    [[0.5, 0.5]]
    """
    scaled = margins / temperature
    if scaled.shape[1] == 1:
        scaled = scaled + offset
        second = 1.0 / (1.0 + np.exp(-np.clip(scaled, -_LARGEST, _LARGEST)))
        return np.hstack([1.0 - second, second])
    powers = np.exp(np.maximum(scaled - scaled.max(axis=1, keepdims=True), -_LARGEST))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def saved(array: npt.NDArray[np.float32]) -> bytes:
    """As a file, without pickle."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def loaded(content: bytes) -> npt.NDArray[np.float32]:
    """Back from `saved`."""
    return np.asarray(np.load(io.BytesIO(content), allow_pickle=False), dtype=np.float32)

"""Settings of the gate."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from pozytywka_spark.config.base import Section, decides


class Gate(Section):
    """When a challenger becomes the champion."""

    section_decides = decides("gate")

    # the dossier compares models of a training by these two as well
    metric: Literal["roc_auc", "pr_auc", "log_loss", "brier"] = Field(
        "roc_auc", json_schema_extra=decides("gate", "report")
    )
    confidence: float = Field(
        0.975,
        gt=0.5,
        lt=1,
        description="share of replicates it must win",
        json_schema_extra=decides("gate", "report"),
    )
    max_calibration_error: float = Field(0.02, gt=0, description="beyond what chance alone gives")
    max_slice_drop: float = Field(0.1, gt=0, description="ROC AUC that no slice may lose")

    @property
    def fewest_replicates(self) -> int:
        """How many replicates `confidence` needs: one of them is as much as may go the other way."""
        return math.ceil(round(1 / (1 - self.confidence), 6))

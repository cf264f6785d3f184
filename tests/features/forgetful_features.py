"""An entry of somebody's own that doesn't say all it needs."""

from __future__ import annotations

from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.declared.groups import groups

FEATURES = (
    Feature(
        name="forgetful",
        meaning="groups played",
        unit="groups",
        kind="count",
        null="never null",
        value=groups,
        needs=("artist_groups",),
    ),
)

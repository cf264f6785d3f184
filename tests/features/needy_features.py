"""An entry of somebody's own that needs a table which not every lake has."""

from __future__ import annotations

from pozytywka_spark.features.declared.declaration import Feature
from pozytywka_spark.features.declared.listening import plays, skips

FEATURES = (
    Feature(
        name="plays_and_skips",
        meaning="plays and skips, in lakes with groups of artists",
        unit="events",
        kind="count",
        null="never null",
        value=plays + skips,
        needs=("artist_groups",),
    ),
)

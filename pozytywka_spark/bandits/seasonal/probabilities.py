"""The probabilities of a seasonal slot's arms on a day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from pozytywka_spark.bandits.seasonal.outlook import outlook
from pozytywka_spark.bandits.seasonal.series import series_of
from pozytywka_spark.bandits.seasonal.shares import watched, bounded, draws_for


def probabilities(sums, genre_of, arms, day, settings):
    bandits = getattr(settings, "bandits", settings)
    series = series_of(sums, list(arms), day)
    view = outlook(series, [genre_of[a] for a in arms], day, None)
    rng = np.random.default_rng([day.toordinal(), 1])
    shares = watched(view.draws(rng, draws_for(len(arms))), view.arms, getattr(bandits,'watch',.05))
    p = bounded(shares, bandits.min_probability, 0.0, 0.95, rng)
    return pd.DataFrame({"group": "", "arm": list(arms), "probability": p})

"""Of every 95% interval: how many standard errors it reaches each way, or which percentiles bound it."""

from __future__ import annotations

NORMAL_95 = 1.959963984540054
PERCENTILES_95 = (2.5, 97.5)

"""Models that serve: margins, contributions, calibration, and what scoring shares with training."""

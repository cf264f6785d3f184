"""Estimators, fits, tuning, what is logged of a training; reproduction."""

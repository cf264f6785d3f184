"""User-month windows, features, labels and the guards against leakage."""

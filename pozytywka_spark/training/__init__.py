"""Time splits, estimators, evaluation, gate and tracking."""

"""Experiments: who gets what for life, what difference it made, and whom it persuaded."""

"""Signals, each declared once: what of an account's day is looked at."""

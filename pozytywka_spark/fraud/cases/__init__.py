"""Signals and rings to cases that people judge."""

"""Batch scoring with reasons."""

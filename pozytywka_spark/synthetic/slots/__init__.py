"""Slots in a made world: something is chosen with a logged probability, and works as the truth says."""

"""The fifty tracks most worth a user's time, in which order, and why."""

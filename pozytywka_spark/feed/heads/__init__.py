"""The chances that a user does something with a track: features of pairs, heads, their calibration."""

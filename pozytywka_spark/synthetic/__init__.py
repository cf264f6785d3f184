"""A Pozytywka of any size with known truth."""

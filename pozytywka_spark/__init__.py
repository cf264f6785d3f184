"""Pozytywka on Spark: who is likely to buy premium, what to do about it, and did it work."""

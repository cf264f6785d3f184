"""The recovering softmax: from sums of days to scores, and how much to believe them."""

from pozytywka_spark.bandits.softmax.learn import PUBLISHED, Learnt, Settings, estimate, learn

__all__ = ["PUBLISHED", "Learnt", "Settings", "estimate", "learn"]

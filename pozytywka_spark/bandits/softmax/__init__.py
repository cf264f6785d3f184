"""The recovering softmax: from sums of days to scores, and how much to believe them."""

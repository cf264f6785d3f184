"""What a month looks like beside those that the model learnt from, and how well the model does."""

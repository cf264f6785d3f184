"""A training as people read it: one page, and a few lines in MLflow, from logged facts only."""

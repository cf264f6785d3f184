"""Models that decide cases alone: one a group of rules, kept only where its precision is proven."""

"""Models that decide cases alone: trained a group of rules each, kept only where their precision is proven."""

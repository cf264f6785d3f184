"""What features are: one entry each, by topic, and the catalogue of them all."""

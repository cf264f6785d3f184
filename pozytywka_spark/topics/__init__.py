"""Which genres belong together, and in which language artists sing."""

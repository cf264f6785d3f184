"""Who may enter an experiment, which group they get for life, and how that is defined."""

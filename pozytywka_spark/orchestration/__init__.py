"""A month's whole work in order: done once, resumed where it stopped, visible step by step."""

"""How well models do, exactly, and what moves their scores."""

"""Moderation: what people and models said of cases, the fouls and blocks that follow, and appeals."""

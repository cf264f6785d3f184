"""Rings: accounts that play the same few tracks far more than popularity and taste explain."""

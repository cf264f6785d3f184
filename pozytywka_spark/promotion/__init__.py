"""The gate, and the aliases champion and challenger that follow from it."""

"""How good a page was: the 28 days after its cut-off, beside simpler rankings."""

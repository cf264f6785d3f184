"""What was done after a cut-off."""

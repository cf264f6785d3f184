"""People who pick by taste: hidden vectors, repeats, fresh releases, and what may be done after a cut-off."""

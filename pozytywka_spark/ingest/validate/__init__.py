"""One line after the other: sound, or by which rule not, and put down for the next pass."""

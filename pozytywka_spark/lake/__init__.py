"""Delta tables behind one interface with two engines."""

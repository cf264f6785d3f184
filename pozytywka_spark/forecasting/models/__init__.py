"""Models of one series; each a class with the three methods of `model.Model`."""

"""Pass 2: a page whose tracks aren't all the same, by rules, a soft spread and the memory of earlier days."""

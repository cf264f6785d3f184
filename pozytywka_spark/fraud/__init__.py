"""Which plays and purchases aren't genuine: signals by account and day, rules, rings, cases for people."""

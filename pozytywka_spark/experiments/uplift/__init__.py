"""Whom a treatment persuaded, and whether addressing them alone would pay."""

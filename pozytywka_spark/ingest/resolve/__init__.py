"""Judged rows beside what the lake holds: repaired, new or duplicate, and what is committed."""

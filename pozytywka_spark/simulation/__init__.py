"""What the platform could change for a group of users: a genetic search, inside what has been seen."""

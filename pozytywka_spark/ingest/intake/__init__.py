"""What is delivered: which files are there, what they are, which are new, and their lines."""

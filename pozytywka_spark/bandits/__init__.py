"""Which message to show whom, which artist to promote when; judged from the log before it serves."""

"""What people write to us: language, sentiment, subject, spam; and what it says of premium."""

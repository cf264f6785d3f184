"""Rules over signals: a closed grammar, what holds, and what others would have found."""

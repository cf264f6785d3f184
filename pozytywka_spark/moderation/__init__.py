"""People's verdicts and what follows: fouls, blocks that grow, appeals, plays that don't count."""

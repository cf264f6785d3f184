"""What silver is like: checks, distributions, findings, the page."""

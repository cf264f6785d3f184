"""What to expect of the service, day by day and month by month, with intervals; and what is out of order."""

"""Events to account-days, account-days to signals."""

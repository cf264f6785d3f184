"""Libraries of extras that several rooms call, each in one manner."""

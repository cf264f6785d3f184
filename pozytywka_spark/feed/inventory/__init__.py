"""Up to a thousand tracks a user, each with the sources it came from."""

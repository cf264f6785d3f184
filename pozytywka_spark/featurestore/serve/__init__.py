"""The endpoint: features, and what the champion says of them, over HTTP."""

"""People who judge cases, played against a delivery's truth."""

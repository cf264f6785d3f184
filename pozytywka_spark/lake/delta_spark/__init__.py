"""The delta-spark engine: whatever serves format("delta") in the session does everything."""

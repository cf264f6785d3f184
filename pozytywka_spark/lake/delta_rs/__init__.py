"""The delta-rs engine: tasks read and write the Parquet files, deltalake keeps the log; no jar needed."""

"""Is everything in place for the jobs to run, and what to do where it is not."""

"""What the command line runs: a module a job, named as the job is. Nothing of it but flags and summaries."""

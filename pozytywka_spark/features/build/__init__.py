"""Silver tables to features by kernels: three jobs over shards, whatever the number of months."""

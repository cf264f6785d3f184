"""What a side must prove, and how: statistics on arrays, without Spark and without files."""

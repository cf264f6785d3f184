"""MLflow: the only package that imports it, and only inside functions, for that takes seconds."""

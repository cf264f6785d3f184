"""Guards against leakage: what each looks at; one that fails stops the job, naming a feature or a row."""

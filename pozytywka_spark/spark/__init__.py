"""All that is about running Spark: the session, its settings, its Java classes, its Python workers."""

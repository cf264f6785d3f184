"""Here only for models that releases before 0.2.0 logged: MLflow has the name of their loader's module."""

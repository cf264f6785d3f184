"""The loader of logistic models that releases before 0.2.0 logged: MLflow imports it by this name.

It is `tracking.linear_flavour`'s; what is logged from now on names that one.
"""

from pozytywka_spark.tracking.linear_flavour import _load_pyfunc

__all__ = ["_load_pyfunc"]
